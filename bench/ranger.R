# One fit of ranger, one thread: prints its version and CPU seconds, writes scores of a second set.
#
#	Rscript bench/ranger.R TRAIN.csv TEST.csv SCORES.csv TREES DEPTH SEED
#
# The target is the column y: text for classes, else a number.  DEPTH 0 is no limit.
arguments <- commandArgs(trailingOnly = TRUE)
train <- read.csv(arguments[1], stringsAsFactors = TRUE)
test <- read.csv(arguments[2], stringsAsFactors = TRUE)
features <- ncol(train) - 1
before <- proc.time()
model <- ranger::ranger(y ~ ., train, num.trees = as.integer(arguments[4]),
	max.depth = as.integer(arguments[5]), seed = as.integer(arguments[6]),
	mtry = if (is.factor(train$y)) floor(sqrt(features)) else features, min.node.size = 1,
	num.threads = 1, probability = is.factor(train$y), verbose = FALSE)
cpu <- sum((proc.time() - before)[1:2])
scores <- predict(model, test, num.threads = 1)$predictions
write.table(scores, arguments[3], sep = ",", row.names = FALSE, col.names = FALSE)
cat(as.character(packageVersion("ranger")), cpu, "\n")
