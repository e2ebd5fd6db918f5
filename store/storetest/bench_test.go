package storetest

import "testing"

func BenchmarkMemstore(b *testing.B) { Bench(b, openMemstore) }
