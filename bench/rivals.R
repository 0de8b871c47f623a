# The R rivals of the benchmark: a child process of main.ts, one thread. The same lines of JSON as rivals.py:
#   versions
#   open    kind, numbers     reads the arrays of the case; the answer lists its rivals and their rungs
#   fit     name, rung        one fit, timed; its parameters go to output.bin
suppressMessages({
  library(jsonlite)
  library(glmnet)
})

folder <- commandArgs(TRUE)[1]
read <- function(name, count) readBin(file.path(folder, paste0(name, ".bin")), "double", count)
rows_of <- function(r) matrix(read("x", r$rows * r$columns), r$rows, byrow = TRUE)
rungs <- function(what, tols) paste(what, format(tols, scientific = TRUE, trim = TRUE))

# L1 path at the λ of the case, to its end; params: for each λ the weights, then the intercept
train_l1_path <- function(r) {
  x <- rows_of(r)
  y <- read("y", r$rows)
  lambda <- read("lambda", r$count)
  # looser ones violate the conditions ten times as much as the goal allows
  thresholds <- 10^-(10:15)
  glmnet.control(fdev = 0, devmax = 1)
  trainer <- function(type) list(
    rungs = rungs("thresh", thresholds),
    run = function(rung) glmnet(
      x, y, family = "binomial", lambda = lambda, standardize = FALSE, thresh = thresholds[rung + 1],
      maxit = 1e9, type.logistic = type
    ),
    params = function(model) as.vector(rbind(as.matrix(model$beta), model$a0)),
    iterations = function(model) model$npasses
  )
  list("glmnet" = trainer("Newton"), "glmnet modified.Newton" = trainer("modified.Newton"))
}

# standard errors; params: coefficients, then standard errors, the intercept first
train_inference <- function(r) {
  x <- cbind(1, rows_of(r))
  y <- read("y", r$rows)
  epsilons <- 10^-c(8, 10, 12, 14)
  list("R glm" = list(
    rungs = rungs("epsilon", epsilons),
    run = function(rung) {
      fit <- glm.fit(x, y, family = binomial(), control = glm.control(epsilon = epsilons[rung + 1], maxit = 100))
      class(fit) <- c("glm", "lm")
      list(fit = fit, summary = summary(fit))
    },
    params = function(model) as.vector(model$summary$coefficients[, 1:2]),
    iterations = function(model) model$fit$iter
  ))
}

kinds <- list(train_l1_path = train_l1_path, train_inference = train_inference)
rivals <- list()

ops <- list(
  versions = function(r) list(
    R = paste(R.version$major, R.version$minor, sep = "."),
    glmnet = as.character(packageVersion("glmnet")),
    "BLAS of R" = basename(extSoftVersion()[["BLAS"]])
  ),
  open = function(r) {
    rivals <<- list()
    invisible(gc())
    rivals <<- kinds[[r$kind]](r)
    list(rivals = I(names(rivals)), rungs = unname(lapply(rivals, function(trainer) trainer$rungs)))
  },
  fit = function(r) {
    trainer <- rivals[[r$name]]
    start <- Sys.time()
    model <- suppressWarnings(trainer$run(r$rung))
    ms <- as.numeric(difftime(Sys.time(), start, units = "secs")) * 1000
    writeBin(as.double(trainer$params(model)), file.path(folder, "output.bin"))
    list(ms = ms, iterations = trainer$iterations(model))
  }
)

input <- file("stdin", "r")
while (length(line <- readLines(input, n = 1)) > 0) {
  r <- fromJSON(line)
  answer <- tryCatch(ops[[r$op]](r), error = function(error) list(error = conditionMessage(error)))
  cat(toJSON(answer, auto_unbox = TRUE, digits = NA), "\n", sep = "")
  flush(stdout())
}
