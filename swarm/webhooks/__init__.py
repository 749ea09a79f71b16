"""Telling programs outside what happens: who is told what, and in which words."""
