import streamlit as st

st.header("library")
