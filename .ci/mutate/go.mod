module github.com/regionwatch/regionwatch/ci/mutate

go 1.26.0
