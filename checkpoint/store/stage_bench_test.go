package store

import "testing"

func BenchmarkStageMillion(b *testing.B) {
	dir := b.TempDir()
	fill(b, dir, 1_000_000)
	s := openPlain(b, dir)
	for b.Loop() {
		g, err := s.Stage(1000)
		if err != nil {
			b.Fatal(err)
		}
		if g.Tree().Len() != 1_000_000 {
			b.Fatalf("%d keys were staged", g.Tree().Len())
		}
		g.Tree().Root()
		g.Close()
	}
}
