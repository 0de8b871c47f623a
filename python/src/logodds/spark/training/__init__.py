"""Training on Spark: executors hold the encoded rows and answer sums; the solver of `logodds train` asks for them."""
