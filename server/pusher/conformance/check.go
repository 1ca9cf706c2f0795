package conformance

import "testing"

// Check runs cases as subtests of t. A failure fails the subtest; unsupported cases and
// cases that were not run are logged. The results are those of the subtests selected by
// -run.
func Check(t *testing.T, target Target, cases []Case) (results []Result) {
	t.Helper()
	Run(target, cases, func(c Case, run func() Result) {
		t.Run(c.Group+"/"+c.Name, func(t *testing.T) {
			r := run()
			results = append(results, r)
			switch r.Verdict {
			case Fail:
				t.Errorf("%s\n\trule: %s", r.Observed, c.Rule)
			case Pass:
				if r.Observed != "" {
					t.Log(r.Observed)
				}
			default:
				t.Logf("%s: %s", r.Verdict, r.Observed)
			}
		})
	})
	return results
}
