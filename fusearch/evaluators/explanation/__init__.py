"""What a design hangs on: modalities taken away and shuffled, single features."""
