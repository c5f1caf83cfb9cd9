"""Arrays in NPZ, NPY, IDX and HDF5 files, and what they are of samples."""
