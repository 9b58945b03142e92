"""All candidates over some modalities: the program that draws them, and what it is replayed for."""
