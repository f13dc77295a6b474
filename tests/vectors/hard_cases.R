# Rscript tests/vectors/hard_cases.R > tests/vectors/hard_cases.json    (R 4.2.2; nlme, ordinal, jsonlite)
suppressMessages({library(nlme); library(ordinal)})
options(digits = 17)
control <- glsControl(maxIter = 2000, msMaxIter = 2000, tolerance = 1e-13, msTol = 1e-14, opt = "nlminb", apVar = FALSE)
trial <- function(seed, n, share, rho, gone) {
  set.seed(seed)
  v <- 4
  s <- c(6, 7, 9, 11)
  cm <- rho + (1 - rho) * diag(v)
  l <- t(chol(cm * outer(s, s)))
  d <- do.call(rbind, lapply(seq_len(n), function(i) {
    arm <- if (i <= share * n) "B" else "A"
    base <- round(rnorm(1, 40, 12), 1)
    y <- round(c(l %*% rnorm(v)) + 2 * (1:v) + (arm == "B") * 1.5 * (1:v) + 0.2 * base, 3)
    data.frame(id = sprintf("s%02d", i), visit = 1:v, arm = arm, base = base, w = round(runif(v, 0.5, 3), 2), y = y)
  }))
  d[runif(nrow(d)) > gone, ]
}
form <- y ~ base + arm * visit
shape <- function(name) switch(name,
  us = list(corSymm(form = ~ place | id), varIdent(form = ~ 1 | visit)),
  csh = list(corCompSymm(form = ~ place | id), varIdent(form = ~ 1 | visit)),
  cs = list(corCompSymm(form = ~ place | id), NULL),
  ar1 = list(corAR1(form = ~ place | id), NULL),
  ar1h = list(corAR1(form = ~ place | id), varIdent(form = ~ 1 | visit)))
fit <- function(d, name, method, weights = NULL) {
  d$place <- d$visit; d$visit <- factor(d$visit)
  its <- shape(name)
  vf <- its[[2]]
  if (!is.null(weights)) { d$v <- 1 / d$w; vf <- if (is.null(vf)) varFixed(~ v) else varComb(varFixed(~ v), vf) }
  g <- gls(form, d, correlation = its[[1]], weights = vf, method = method, control = control)
  list(terms = names(coef(g)), beta = unname(coef(g)), se = unname(sqrt(diag(vcov(g)))) , loglik = as.numeric(logLik(g)))
}
cols <- function(d) list(id = d$id, visit = d$visit, arm = as.character(d$arm), base = d$base, w = d$w, y = d$y)
out <- list(source = paste("made up by hard_cases.R;", R.version.string, "; nlme", as.character(packageVersion("nlme")), "gls (tolerance 1e-13; of maximum likelihood, which gls scales by N/(N-p), errors are given times sqrt((N-p)/N)); ordinal", as.character(packageVersion("ordinal")), "clm"))
sets <- list(sparse = trial(11, 16, 0.35, 0.6, 0.35), unbalanced = trial(5, 60, 0.15, 0.5, 0.2), tight = trial(7, 40, 0.5, 0.99, 0.15))
for (n in names(sets)) {
  d <- sets[[n]]
  its <- list(data = cols(d))
  for (s in if (n == "sparse") c("cs", "csh", "ar1") else c("us", "csh", "cs", "ar1", "ar1h")) for (m in c("REML", "ML")) {
    f <- tryCatch(fit(d, s, m), error = function(e) { message(n, " ", s, " ", m, ": ", conditionMessage(e)); NULL })
    if (!is.null(f)) { if (m == "ML") f$se <- f$se * sqrt((nrow(d) - length(f$beta)) / nrow(d)); its[[paste(s, tolower(m), sep = "_")]] <- f }
  }
  for (s in c("cs", "ar1", "csh")) its[[paste0("weighted_", s)]] <- tryCatch(fit(d, s, "REML", TRUE), error = function(e) NULL)
  out[[n]] <- its
}
# by group: every coefficient crossed with the arm, so the two arms are two fits
d <- sets$unbalanced
apart <- lapply(split(d, d$arm), function(p) { p$place <- p$visit; p$visit <- factor(p$visit); g <- gls(y ~ base + visit, p, correlation = corCompSymm(form = ~ place | id), weights = varIdent(form = ~ 1 | visit), method = "ML", control = control); list(beta = unname(coef(g)), loglik = as.numeric(logLik(g))) })
out$by_group <- list(csh = apart)
# ordinal: seven grades, two of them with one participant, unbalanced arms, a covariate of three levels
set.seed(3); n <- 57
arm <- ifelse(seq_len(n) <= 12, "B", "A"); x <- round(rnorm(n), 2); site <- sample(c("p", "q", "r"), n, TRUE, c(.7, .2, .1))
z <- 0.8 * (arm == "B") + 0.5 * x + rlogis(n)
g <- as.integer(cut(z, c(-Inf, -2.6, -1, 0, 1, 2.4, 4.4, Inf))) - 1L
c1 <- clm(factor(g) ~ arm + x + site, control = clm.control(gradTol = 1e-12, maxIter = 200))
out$ordinal <- list(data = list(arm = arm, x = x, site = site, grade = g), counts = as.vector(table(factor(g, 0:6))), terms = names(c1$beta), beta = unname(c1$beta), alpha = unname(c1$alpha), se = unname(sqrt(diag(vcov(c1)))), loglik = as.numeric(c1$logLik))
# win ratio: a scale of three grades, most pairs tied, then a time with censoring; counted pair by pair
set.seed(9); n <- 41
arm <- ifelse(seq_len(n) <= 15, "B", "A"); grade <- sample(0:2, n, TRUE, c(.2, .6, .2)); day <- sample(c(10, 20, 30), n, TRUE); died <- rbinom(n, 1, .4)
w <- 0; l <- 0; t <- 0
for (i in which(arm == "B")) for (j in which(arm == "A")) {
  r <- 0
  if (died[j] == 1 && day[i] > day[j]) r <- 1 else if (died[i] == 1 && day[j] > day[i]) r <- -1
  else if (died[j] == 1 && died[i] == 0 && day[i] == day[j]) r <- 1 else if (died[i] == 1 && died[j] == 0 && day[i] == day[j]) r <- -1
  if (r == 0) r <- sign(grade[j] - grade[i])
  if (r > 0) w <- w + 1 else if (r < 0) l <- l + 1 else t <- t + 1
}
out$wins <- list(data = list(arm = arm, grade = grade, day = day, died = died), wins = w, losses = l, ties = t)
cat(jsonlite::toJSON(out, digits = I(17), auto_unbox = TRUE, pretty = FALSE))
