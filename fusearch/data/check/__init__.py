"""What may mislead in a data set, found before anything is trained."""
