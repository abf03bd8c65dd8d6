# Values at the edge of the data for the statistics tests, from R. Writes edges.json beside this file.
#   Rscript make_edges.R
# R 4.2.2; rms 6.5.0, survival 3.5.3, psych 2.2.9, pROC 1.18.0 (Debian 12), coxphf 1.13.4, detectseparation 0.3 (CRAN)

suppressMessages({
  library(rms)
  library(survival)
  library(psych)
  library(coxphf)
  library(detectseparation)
})
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
cohorts <- lapply(c(small = "small.csv", rare_events = "rare_events.csv"), function(f) {
  read.csv(file.path(here, f), stringsAsFactors = FALSE)
})
out <- list(versions = c(
  R = paste(R.version$major, R.version$minor, sep = "."),
  sapply(c("rms", "survival", "psych", "coxphf", "detectseparation"), function(p) as.character(packageVersion(p)))
))
quiet <- function(x) suppressWarnings(suppressMessages(x))

# --- Cox ---------------------------------------------------------------------------------------------------
firth <- function(formula, d) {
  m <- quiet(coxphf(formula, d, maxit = 5000, maxhs = 30, epsilon = 1e-10, gconv = 1e-8))
  p <- quiet(coxphf(formula, d, maxit = 5000))$prob # its restricted fits do not reach tolerances so small
  list(
    beta = unname(m$coefficients), se = unname(sqrt(diag(as.matrix(m$var)))), low = unname(m$ci.lower),
    high = unname(m$ci.upper), p = unname(p), loglik = unname(m$loglik)
  )
}
data(breast)
levels_of <- function(s) {
  set.seed(s)
  n <- 40
  g <- rep(c("a", "b", "c"), c(16, 16, 8))
  time <- round(rexp(n, 1 / 30), 1) + 0.1
  event <- as.integer(runif(n) < 0.5)
  event[g == "c"] <- 0
  data.frame(g = g, x = round(rnorm(n), 2), time = time, event = event)
}
none <- levels_of(1)
first <- data.frame(
  x = c(1, 1, 1, 0, 0, 0, 0, 0, 0, 0), z = c(0.2, 1.1, -0.4, 0.9, -1.3, 0.3, 0.6, -0.1, 1.4, -0.8),
  time = 1:10, event = c(1, 1, 1, 1, 0, 1, 0, 1, 1, 0)
) # all carriers of x die first
infcox <- data.frame(x1 = rep(0:1, 6), x2 = rep(0:1, each = 6), time = 1:12, event = c(1, 0, 1, 0, 1, rep(0, 7)))
sorted <- data.frame(x = c(-1.9, -1.1, -0.7, -0.2, 0.1, 0.8, 1.3, 2.2), time = 1:8, event = 1)
ties <- function(d, method) {
  m <- coxph(Surv(time, event) ~ score_a + age, d, ties = method, control = coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 50))
  list(beta = unname(coef(m)), se = unname(sqrt(diag(vcov(m)))), loglik = m$loglik)
}
limit <- quiet(coxph(Surv(time, event) ~ x + z, first, control = coxph.control(iter.max = 30)))
out$cox <- list(
  breast = c(list(data = breast), firth(Surv(TIME, CENS) ~ T + N + G + CD, breast)),
  none = c(list(data = none), firth(Surv(time, event) ~ g + x, none)),
  first = c(list(data = first), firth(Surv(time, event) ~ x + z, first)),
  infcox = c(list(data = infcox), firth(Surv(time, event) ~ x1 + x2, infcox)),
  sorted = c(list(data = sorted), firth(Surv(time, event) ~ x, sorted)),
  cohorts = lapply(cohorts, function(d) firth(Surv(time, event) ~ score_a + age, d)),
  ties = lapply(cohorts, function(d) list(efron = ties(d, "efron"), breslow = ties(d, "breslow"))),
  limit_z = list(beta = unname(coef(limit)[2]), se = unname(sqrt(diag(vcov(limit)))[2]))
)

# --- Kaplan-Meier ------------------------------------------------------------------------------------------
curve <- function(d) {
  f <- survfit(Surv(time, status) ~ 1, d, conf.type = "log-log")
  list(
    data = d[c("time", "status")], time = f$time, survival = f$surv, low = f$lower, high = f$upper,
    median = unname(summary(f)$table[c("median", "0.95LCL", "0.95UCL")])
  )
}
tied <- data.frame(time = c(1, 2, 2^.5 * 2^.5, 2, 2^.5 * 2^.5), group = c(1, 1, 1, 2, 2))
t <- survdiff(Surv(time, rep(1, 5)) ~ group, tied)
out$survival <- list(
  pkd = curve(subset(kidney, disease == "PKD")), lung3 = curve(transform(lung[which(lung$ph.ecog == 3), ], status = status - 1)),
  lung2 = curve(transform(lung[which(lung$ph.ecog == 2), ], status = status - 1)),
  timefix = list(chisq = t$chisq, n_times = summary(survfit(Surv(time, rep(1, 5)) ~ 1, tied))$time)
)

# --- separation --------------------------------------------------------------------------------------------
data(endometrial)
apart <- function(formula, d) {
  # 0 finite, ±Inf infinite; and glm's estimates, of which the finite ones are right
  s <- glm(formula, binomial, d, method = "detect_separation")
  m <- quiet(glm(formula, binomial, d, epsilon = 1e-13, maxit = 200))
  list(data = d, infinite = unname(coef(s)), beta = unname(coef(m)), se = unname(sqrt(diag(vcov(m)))))
}
set.seed(5)
mixed <- data.frame(x = round(rnorm(30), 2), g = rep(0:1, c(24, 6)))
mixed$y <- ifelse(mixed$g == 1, 0, as.integer(runif(30) < plogis(mixed$x)))
out$separation <- list(
  endometrial = apart(HG ~ NV + PI + EH, endometrial),
  smallest = apart(y ~ x, data.frame(x = c(0, 0, 0, 0, 1, 1), y = c(0, 1, 0, 1, 1, 1))),
  offset = apart(y ~ x, data.frame(x = c(90, 95, 99, 101, 103, 105, 110, 111), y = rep(0:1, c(3, 5)))),
  mixed = apart(y ~ x + g, mixed)
)

# --- nomogram ----------------------------------------------------------------------------------------------
set.seed(3)
n <- 240
d <- data.frame(
  dose = sample(c(15, 37, 62), n, TRUE), smoker = sample(0:1, n, TRUE), ten = sample(seq(3, 93, 10), n, TRUE),
  eleven = sample(seq(3, 103, 10), n, TRUE)
)
d$y <- as.integer(runif(n) < plogis(-2 + 0.03 * d$dose + 0.8 * d$smoker - 0.01 * d$ten + 0.012 * d$eleven))
dd <- datadist(d)
options(datadist = "dd")
m <- lrm(y ~ dose + smoker + ten + eleven, d, tol = 1e-14, eps = 1e-12)
nomo <- nomogram(m)
axis <- function(x) list(value = unname(x[[1]]), points = unname(x$points))
out$nomogram <- list(data = d, axes = lapply(nomo[c("dose", "smoker", "ten", "eleven")], axis))

# --- exact tests -------------------------------------------------------------------------------------------
tables <- list(
  job = matrix(c(1, 2, 1, 0, 3, 3, 6, 1, 10, 10, 14, 9, 6, 7, 12, 11), 4), # Agresti (2002, p. 57): p = 0.7827
  three = matrix(c(3, 1, 0, 2, 4, 1, 0, 2, 5), 3), wide = matrix(c(2, 0, 1, 3, 0, 4, 1, 1, 2, 2, 0, 3), 3),
  five = matrix(c(4, 1, 0, 2, 3, 0, 3, 5, 1, 1, 2, 2, 1, 6, 3), 5)
)
out$exact <- lapply(tables, function(t) list(counts = t, p = fisher.test(t, workspace = 2e7)$p.value))

# --- agreement ---------------------------------------------------------------------------------------------
agree <- function(r) {
  x <- suppressWarnings(ICC(r, lmer = FALSE))$results[1:3, c("ICC", "lower bound", "upper bound")]
  list(ratings = r, icc = unname(as.matrix(x)))
}
out$icc <- list(apart = agree(cbind(1:3, 2:4)), near = agree(cbind(c(1, 2, 3, 4), c(2, 3, 4, 5.001))))

# --- calibration -------------------------------------------------------------------------------------------
out$calibration <- lapply(cohorts, function(d) {
  p <- plogis(0.3 + 0.7 * d$score_b)
  v <- val.prob(p, d$label, pl = FALSE)
  list(Eavg = unname(v["Eavg"]), E90 = unname(v["E90"]), Brier = unname(v["Brier"]))
})
writeLines(jsonlite::toJSON(out, digits = NA, auto_unbox = TRUE, na = "string"), file.path(here, "edges.json"))
