package conformance

import (
	"fmt"
	"io"
	"strings"
)

// WriteTable writes results as a Markdown table.
func WriteTable(w io.Writer, results []Result) error {
	var b strings.Builder
	b.WriteString("| group | case | result | observed |\n|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(r.Case.Group), cell(r.Case.Name), r.Verdict, cell(r.Observed))
	}
	b.WriteString("\n" + Sum(results) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// cell escapes text for a cell of a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", ">", "&gt;").Replace(s)
}

// Sum returns how many results there are of each verdict.
func Sum(results []Result) string {
	n := map[Verdict]int{}
	for _, r := range results {
		n[r.Verdict]++
	}
	return fmt.Sprintf("%d cases: %d pass, %d fail, %d unsupported, %d not run", len(results), n[Pass], n[Fail], n[Unsupported], n[NotRun])
}
