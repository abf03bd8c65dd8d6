# Reference values of the statistics tests, from R. Writes references.json beside this file.
#   Rscript make_references.R
# Debian 12: r-base-core r-cran-rms r-cran-proc r-cran-survival r-cran-psych r-cran-jsonlite

suppressMessages({
  library(rms)
  library(pROC)
  library(survival)
  library(psych)
})
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
cohorts <- lapply(c(small = "small.csv", rare_events = "rare_events.csv"), function(f) {
  d <- read.csv(file.path(here, f), stringsAsFactors = FALSE)
  d$grade <- factor(d$grade, levels = c("II", "I", "III")) # II is the reference
  d$rare <- factor(d$rare)
  d
})
curve <- function(d, s) roc(d$label, d[[s]], levels = c(0, 1), direction = "<", quiet = TRUE)
out <- list(versions = c(
  R = paste(R.version$major, R.version$minor, sep = "."),
  sapply(c("rms", "pROC", "survival", "psych"), function(p) as.character(packageVersion(p)))
))

# --- ROC ---------------------------------------------------------------------------------------------------
out$roc <- lapply(cohorts, function(d) {
  one <- function(s) {
    r <- curve(d, s)
    best <- coords(r, "best", best.method = "youden", transpose = FALSE)
    list(
      auc = as.numeric(auc(r)), delong = as.numeric(ci.auc(r, method = "delong"))[c(1, 3)],
      delong_90 = as.numeric(ci.auc(r, method = "delong", conf.level = 0.9))[c(1, 3)],
      best = list(threshold = best$threshold, sensitivity = best$sensitivity, specificity = best$specificity)
    )
  }
  pair <- function(a, b) {
    t <- roc.test(curve(d, a), curve(d, b), method = "delong", paired = TRUE)
    list(z = unname(t$statistic), p = t$p.value, interval = as.numeric(t$conf.int))
  }
  list(
    scores = sapply(c("score_a", "score_b", "score_c"), one, simplify = FALSE),
    ab = pair("score_a", "score_b"), ac = pair("score_a", "score_c"), bc = pair("score_b", "score_c")
  )
})
t <- roc.test(curve(cohorts$small, "score_a"), curve(cohorts$rare_events, "score_a"), method = "delong", paired = FALSE)
out$unpaired <- list(statistic = unname(t$statistic), df = unname(t$parameter), p = t$p.value)

# --- proportions -------------------------------------------------------------------------------------------
out$binomial <- lapply(list(c(17, 20), c(0, 10), c(10, 10), c(36, 43)), function(x) {
  list(x = x[1], n = x[2], interval = as.numeric(binom.test(x[1], x[2])$conf.int))
})
p <- c(0.01, 0.04, 0.03, 0.005, 0.9, NA, 0.03)
out$holm <- list(p = p, adjusted = p.adjust(p, "holm"))

# --- logistic regression -----------------------------------------------------------------------------------
out$glm <- lapply(cohorts, function(d) {
  m <- glm(label ~ score_a + age + grade + er, binomial, d, epsilon = 1e-14, maxit = 50)
  s <- coef(summary(m))
  drop <- drop1(m, test = "LRT")[-1, ]
  g <- c("gradeI", "gradeIII")
  wald <- drop(t(coef(m)[g]) %*% solve(vcov(m)[g, g]) %*% coef(m)[g])
  list(
    beta = unname(s[, 1]), se = unname(s[, 2]), p = unname(s[, 4]), interval = unname(exp(confint.default(m))),
    log_likelihood = as.numeric(logLik(m)), lr = drop$LRT, df = drop$Df, lr_p = drop$`Pr(>Chi)`, wald_grade = wald,
    nested = anova(glm(label ~ score_a, binomial, d, epsilon = 1e-14), m, test = "LRT")$Deviance[2],
    fitted = unname(fitted(m))[1:5]
  )
})

# Firth by direct maximisation of the penalised likelihood (Heinze & Schemper 2002), not by Firth's score
firth <- function(x, y) {
  value <- function(b) {
    eta <- drop(x %*% b)
    w <- plogis(eta) * plogis(-eta)
    sum(y * eta - ifelse(eta > 0, eta + log1p(exp(-eta)), log1p(exp(eta)))) +
      0.5 * as.numeric(determinant(crossprod(x, x * w))$modulus)
  }
  best <- function(free, fixed, start) {
    f <- function(b) -value(replace(fixed, free, b))
    o <- optim(start, f, method = "BFGS", control = list(reltol = 1e-15, maxit = 5000))
    for (i in 1:3) o <- optim(o$par, f, method = "BFGS", control = list(reltol = 1e-16, maxit = 5000))
    o
  }
  k <- ncol(x)
  full <- best(1:k, numeric(k), numeric(k))
  b <- full$par
  w <- plogis(drop(x %*% b)) * plogis(-drop(x %*% b))
  se <- sqrt(diag(solve(crossprod(x, x * w))))
  # several starts: far out the penalised likelihood of separated data has more than one local maximum
  profile <- function(j, at) {
    starts <- list(b[-j], 0 * b[-j], b[-j] * at / b[j])
    if (k == 2) starts <- c(starts, as.list(seq(-40, 40, 4)))
    max(sapply(starts, function(s) -best(setdiff(1:k, j), replace(numeric(k), j, at), s)$value))
  }
  cut <- -full$value - qchisq(0.95, 1) / 2
  bounds <- t(sapply(1:k, function(j) {
    sapply(c(-1, 1), function(side) {
      reach <- se[j]
      while (profile(j, b[j] + side * reach) > cut) reach <- reach * 1.5
      uniroot(function(at) profile(j, at) - cut, sort(c(b[j], b[j] + side * reach)), tol = 1e-9)$root
    })
  }))
  lr <- sapply(1:k, function(j) 2 * (-full$value - profile(j, 0)))
  eta <- drop(x[, -1, drop = FALSE] %*% b[-1])
  flic <- coef(glm(y ~ offset(eta), family = binomial))
  list(
    beta = b, se = unname(se), interval = unname(exp(bounds)), p = pchisq(lr, 1, lower.tail = FALSE),
    log_likelihood = -full$value, flic = unname(flic)
  )
}
out$firth <- lapply(cohorts, function(d) {
  x <- unname(cbind(1, as.matrix(d[, c("score_a", "lesion")])))
  full <- cbind(1, 6 * d$label + d$score_a)
  list(quasi = firth(x, d$label), complete = firth(full, d$label))
})

# --- agreement ---------------------------------------------------------------------------------------------
out$icc <- lapply(cohorts, function(d) {
  one <- function(columns) {
    r <- suppressWarnings(ICC(as.matrix(d[, columns]), lmer = FALSE))$results
    sapply(c("ICC1", "ICC2", "ICC3"), function(t) {
      as.numeric(r[r$type == t, c("ICC", "lower bound", "upper bound")])
    }, simplify = FALSE)
  }
  list(two = one(c("score_a", "reader_2")), three = one(c("score_a", "reader_2", "reader_3")))
})

# --- calibration, optimism, nomogram -----------------------------------------------------------------------
# ResourceSelection::hoslem.test in base R
hoslem <- function(y, p, g) {
  cut_p <- cut(p, breaks = unique(quantile(p, probs = seq(0, 1, 1 / g))), include.lowest = TRUE)
  obs <- xtabs(cbind(1 - y, y) ~ cut_p)
  ex <- xtabs(cbind(1 - p, p) ~ cut_p)
  chi <- sum((obs - ex)^2 / ex)
  list(statistic = chi, groups = nrow(obs), p = pchisq(chi, nrow(obs) - 2, lower.tail = FALSE))
}
out$rms <- lapply(cohorts, function(d) {
  d$grade <- factor(d$grade, levels = c("I", "II", "III"))
  dd <<- datadist(d)
  options(datadist = "dd")
  m <- lrm(label ~ score_a + age + grade, d, x = TRUE, y = TRUE, tol = 1e-14, eps = 1e-10)
  p <- plogis(m$linear.predictors)
  external <- plogis(0.3 + 0.7 * d$score_b) # a model that was not fitted here
  v <- val.prob(external, d$label, pl = FALSE)
  set.seed(11)
  cal <- calibrate(m, B = 20)
  set.seed(11)
  val <- validate(m, B = 20)
  set.seed(11)
  resamples <- t(sapply(1:20, function(i) sample(nrow(d), replace = TRUE)))
  n <- nomogram(m, fun = plogis, fun.at = c(0.1, 0.3, 0.5, 0.7), funlabel = "probability")
  axis <- function(a) list(value = as.character(n[[a]][[1]]), points = unname(n[[a]]$points))
  list(
    intercept = unname(v["Intercept"]), slope = unname(v["Slope"]), brier = unname(v["Brier"]),
    hoslem_fitted = hoslem(d$label, p, 10), hoslem_external = hoslem(d$label, external, 8),
    calibrate = list(
      predicted = unname(cal[, "predy"]), apparent = unname(cal[, "calibrated.orig"]),
      corrected = unname(cal[, "calibrated.corrected"])
    ),
    dxy = unname(val["Dxy", c("index.orig", "optimism", "n")]), resamples = resamples - 1,
    nomogram = list(
      coefficients = unname(coef(m)), score_a = axis("score_a"), age = axis("age"), grade = axis("grade"),
      total = n$total.points$x, lp = n$lp$x.real, lp_points = n$lp$x,
      probability = n$probability$x.real, probability_points = n$probability$x
    )
  )
})
ranges <- list(c(0, 1), c(-2.562, 2.31), c(35, 71), c(0.013, 0.087), c(-0.4, 137), c(5, 5), c(0, 0), c(1e5, 1.3e5), c(1, 4))
out$pretty <- lapply(ranges, function(r) list(range = r, ten = pretty(r, n = 10), five = pretty(r)))

# --- comparison of groups ----------------------------------------------------------------------------------
out$groups <- lapply(cohorts, function(d) {
  y <- d$label
  t1 <- t.test(age ~ label, d)
  t2 <- t.test(age ~ label, d, var.equal = TRUE)
  w <- wilcox.test(skewed ~ label, d, exact = FALSE, correct = TRUE)
  centred <- abs(d$age - ave(d$age, y))
  list(
    shapiro = sapply(0:1, function(g) shapiro.test(d$age[y == g])$p.value),
    shapiro_skewed = sapply(0:1, function(g) shapiro.test(d$skewed[y == g])$p.value),
    welch = c(unname(t1$statistic), t1$p.value), student = c(unname(t2$statistic), t2$p.value),
    levene_p = anova(lm(centred ~ factor(y)))$`Pr(>F)`[1],
    wilcoxon = c(unname(w$statistic), w$p.value),
    ordinal = wilcox.test(score_c ~ label, d, exact = FALSE, correct = TRUE)$p.value,
    chi2 = unname(unlist(chisq.test(table(d$er, y), correct = FALSE)[c("statistic", "p.value")])),
    yates = unname(unlist(chisq.test(table(d$er, y), correct = TRUE)[c("statistic", "p.value")])),
    chi2_grade = unname(unlist(chisq.test(table(d$grade, y))[c("statistic", "p.value")])),
    fisher = fisher.test(table(d$lesion, y))$p.value, freeman_halton = fisher.test(table(d$rare, y))$p.value,
    anova = unlist(anova(lm(age ~ grade, d))[1, c("F value", "Pr(>F)")], use.names = FALSE),
    kruskal = unname(unlist(kruskal.test(skewed ~ grade, d)[c("statistic", "p.value")]))
  )
})

# --- survival ----------------------------------------------------------------------------------------------
out$survival <- lapply(cohorts, function(d) {
  s <- survfit(Surv(time, event) ~ label, d, conf.type = "log-log")
  at <- summary(s, times = c(12, 36, 60))
  lr <- survdiff(Surv(time, event) ~ label, d)
  lr3 <- survdiff(Surv(time, event) ~ grade, d)
  m <- coxph(Surv(time, event) ~ score_a + age + grade, d, control = coxph.control(eps = 1e-11, iter.max = 50))
  z <- summary(m)
  list(
    survival = at$surv, low = at$lower, high = at$upper, at_risk = at$n.risk,
    median = unname(z <- summary(s)$table[, c("median")]), logrank = lr$chisq, logrank_grade = lr3$chisq,
    beta = unname(coef(m)), se = unname(sqrt(diag(vcov(m)))), interval = unname(exp(confint(m))),
    log_likelihood = m$loglik[2], ratio = unname(summary(m)$logtest), concordance = unname(concordance(m)$concordance)
  )
})
writeLines(jsonlite::toJSON(out, digits = NA, auto_unbox = TRUE, pretty = FALSE, na = "null"), file.path(here, "references.json"))
