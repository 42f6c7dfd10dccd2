import streamlit as st

st.header("models")
