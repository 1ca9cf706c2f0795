package conformance

import "testing"

// Check runs cases as subtests of t: a failure is the test's, what is unsupported or
// not run is logged. The results are of the subtests that -run leaves.
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
