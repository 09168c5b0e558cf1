package tidy

import "go/ast"

// sleepingTests complains about tests that wait for a time instead of for what they need: they are slow on a fast
// machine and fail on a slow one.
func sleepingTests(t *tree) []string {
	var complaints []string
	for _, s := range t.sources {
		name := s.nameOf("time")
		if !s.test || name == "" {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			if isSleep(n, name) {
				complaints = append(complaints, t.at(n.Pos(),
					"time.Sleep in a test; wait for the event on a channel, or use testing/synctest"))
				return false
			}
			return true
		})
	}
	return complaints
}

// isSleep reports whether n refers to the Sleep of the package that is imported under name.
func isSleep(n ast.Node, name string) bool {
	if id, ok := n.(*ast.Ident); ok {
		return name == "." && id.Name == "Sleep"
	}
	selector, ok := n.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != "Sleep" {
		return false
	}
	of, ok := selector.X.(*ast.Ident)
	return ok && of.Name == name
}
