module github.com/go-roomkit/roomkit/console

go 1.26.0

replace github.com/go-roomkit/roomkit => ../

require (
	github.com/go-roomkit/roomkit v0.0.0
	github.com/stretchr/testify v1.12.1
	golang.org/x/net v0.61.0
)

require (
	github.com/google/uuid v1.6.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/exp v0.0.0-20261014143641-f0251eb4aa3e // indirect
	golang.org/x/text v0.43.0 // indirect
)
