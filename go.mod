module minisip

go 1.26
