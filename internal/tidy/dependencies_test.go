package tidy

import "testing"

func TestDependencies_EachHasItsReasonAndEachReasonItsDependency(t *testing.T) {
	files := map[string]string{
		"go.mod": "module tagma\nrequire example.org/single v1.0.0\nrequire (\n" +
			"\texample.org/direct v1.0.0\n\texample.org/unexplained v1.0.0\n\texample.org/far v1.0.0 // indirect\n)\n",
		"tools/go.mod": "module tools\ntool (\n\texample.org/lint/cmd/lint\n\texample.org/fmt\n)\nrequire (\n" +
			"\texample.org/lint v1.0.0 // indirect\n\texample.org/fmt v1.0.0 // indirect\n\texample.org/deep v1.0.0\n)\n",
		"testnet/peers/go.mod":    "module tagma/testnet/peers\nrequire (\n\ttagma v0.0.0\n\texample.org/peer v1.0.0\n)\n",
		"client/oteltagma/go.mod": "module tagma/client/oteltagma\nrequire example.org/trace v1.0.0\n",
		dependencyDoc: "| module | why |\n|---|---|\n| `example.org/single` | x |\n| `example.org/direct` | x |\n" +
			"| `example.org/far` | x |\n| `example.org/lint` | x |\n| `example.org/gone` | x |\nprose `example.org/unexplained`\n",
	}
	wantComplaints(t, dependencies(of(t, files)),
		"requires example.org/unexplained", "requires example.org/fmt", "requires example.org/peer", "requires example.org/trace",
		"row for example.org/gone")
}

func TestDependencies_NeedsItsFiles(t *testing.T) {
	wantComplaints(t, dependencies(of(t, nil)), "go.mod")
	wantComplaints(t, dependencies(of(t, map[string]string{
		"go.mod": "", "tools/go.mod": "", "testnet/peers/go.mod": "", "client/oteltagma/go.mod": "",
	})), dependencyDoc)
}
