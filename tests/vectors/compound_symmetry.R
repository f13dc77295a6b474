# Rscript tests/vectors/compound_symmetry.R > tests/vectors/compound_symmetry.json    (R 4.2.2; lme4, pbkrtest, jsonlite)
# Kenward and Roger as pbkrtest has them, of the three trials of hard_cases.json: a random intercept is compound symmetry
suppressMessages({library(lme4); library(pbkrtest); library(jsonlite)})
tight <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-15, ftol_abs = 1e-15, xtol_rel = 1e-15, ftol_rel = 1e-15, maxeval = 10000))
out <- list(source = paste(R.version.string, "; lme4", as.character(packageVersion("lme4")), "; pbkrtest", as.character(packageVersion("pbkrtest"))))
for (name in c("sparse", "unbalanced", "tight")) {
  d <- as.data.frame(fromJSON("tests/vectors/hard_cases.json")[[name]]$data)
  d$visit <- factor(d$visit); d$arm <- factor(d$arm)
  m <- lmer(y ~ base + arm * visit + (1 | id), d, control = tight)
  rows <- diag(length(fixef(m)))
  f <- KRmodcomp(m, rows[grep(":", names(fixef(m))), ])$stats
  out[[name]] <- list(terms = names(fixef(m)), beta = unname(fixef(m)), se = unname(sqrt(diag(as.matrix(vcovAdj(m))))),
    df = apply(rows, 1, function(row) get_Lb_ddf(m, row)), f = f$Fstat, f_df = f$ddf, p = f$p.value)
}
cat(toJSON(out, digits = I(17), auto_unbox = TRUE))
