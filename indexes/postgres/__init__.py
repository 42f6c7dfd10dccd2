"""An index in PostgreSQL with pgvector: the same search over a server that many machines share.

address.py      where the server is; the password stays out of everything that is written or shown
session.py      a connection, its errors in words
schema.py       tables of one index
generations.py  which generation is published, and who reads an older one
characters.py   texts as the server can hold them
store.py        reading documents and passages of one generation
words.py        BM25 as an inner product inside the server
stages.py       lexical, dense and sparse search inside the database
index.py        the published index, opened
loading.py      sources → rows of the generation that is being staged
tasks.py        batches of texts to encode, claimed by any number of workers
encodings.py    what was encoded, by encoder and text
worker.py       a process that claims batches and encodes them
completing.py   every text encoded, by this process and others; graphs built
writer.py       build, delete, publish
cleanup.py      what no reader needs any more leaves
verifying.py    an index checked against itself
vector_store.py a LangChain vector store in a table of its own

Needs the extra `postgres` (psycopg, pgvector).
"""
