"""Statistics of tasks: any window, told apart by what tasks differ in, each of one snapshot."""
