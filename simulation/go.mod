module github.com/go-roomkit/roomkit/simulation

go 1.26.0

replace github.com/go-roomkit/roomkit => ../

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/go-roomkit/roomkit v0.0.0
	github.com/jackc/pgx/v5 v5.12.0
	github.com/stretchr/testify v1.12.1
	pgregory.net/rapid v1.3.0
)

require (
	github.com/dustin/go-humanize v1.0.1 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/ncruces/go-strftime v1.0.0 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.50.0 // indirect
	modernc.org/libc v1.77.1 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
	modernc.org/sqlite v1.60.1 // indirect
)

require (
	github.com/go-roomkit/roomkit/store/pgstore v0.0.0-00010101000000-000000000000
	github.com/go-roomkit/roomkit/store/sqlitestore v0.0.0-00010101000000-000000000000
	github.com/google/uuid v1.6.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/exp v0.0.0-20261014143641-f0251eb4aa3e // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/go-roomkit/roomkit/store/sqlitestore => ../store/sqlitestore

replace github.com/go-roomkit/roomkit/store/pgstore => ../store/pgstore
