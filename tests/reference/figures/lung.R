# Reference values of the Kaplan–Meier figure, from R's survival package. Writes lung.json beside this file.
#   Rscript lung.R
# Debian 12: r-base-core r-cran-survival r-cran-jsonlite. The data are survival::lung (Loprinzi et al., J Clin
# Oncol 1994;12:601), which the tests read from lifelines.
library(survival)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
times <- seq(0, 1000, 200)
curves <- function(formula) {
  fit <- survfit(formula, data = lung, conf.type = "log-log")
  at <- summary(fit, times = times, extend = TRUE)
  middle <- quantile(fit, 0.5)
  list(
    group = if (is.null(at$strata)) rep("all", length(at$time)) else sub(".*=", "", as.character(at$strata)),
    time = at$time, at_risk = at$n.risk, survival = at$surv, low = at$lower, high = at$upper,
    median = as.numeric(middle$quantile), median_low = as.numeric(middle$lower),
    median_high = as.numeric(middle$upper)
  )
}
logrank <- function(formula) {
  test <- survdiff(formula, data = lung)
  df <- length(test$n) - 1
  list(statistic = test$chisq, df = df, p = pchisq(test$chisq, df, lower.tail = FALSE))
}
lung$ph.ecog[lung$ph.ecog == 3] <- NA # a single patient
out <- list(
  versions = list(
    R = paste(R.version$major, R.version$minor, sep = "."),
    survival = as.character(packageVersion("survival"))
  ),
  sex = c(curves(Surv(time, status) ~ sex), logrank(Surv(time, status) ~ sex)),
  ph.ecog = c(curves(Surv(time, status) ~ ph.ecog), logrank(Surv(time, status) ~ ph.ecog)),
  all = curves(Surv(time, status) ~ 1)
)
jsonlite::write_json(out, file.path(here, "lung.json"), digits = 12, auto_unbox = TRUE, pretty = TRUE, na = "null")
