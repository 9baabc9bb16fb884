"""What failures are told apart by: the words of their message and the frames they passed."""
