package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

var axeSource = sync.OnceValues(func() (string, error) {
	b, err := os.ReadFile("testdata/browser/node_modules/axe-core/axe.min.js")
	return string(b), err
})

// accessible fails for what axe finds serious or critical, and logs the rest.
func (d *desk) accessible(page string) {
	d.t.Helper()
	axe, err := axeSource()
	if err != nil {
		d.t.Fatalf("the npm packages of the browser tests are missing (make setup gets them): %v", err)
	}
	if !evaluate[bool](d.tab, `window.axe !== undefined`) {
		evaluate[any](d.tab, axe+"\n;null")
	}
	type finding struct {
		ID, Impact, Help string
		Nodes            []string
	}
	var found []finding
	answer := evaluate[json.RawMessage](d.tab, `axe.run(document, {resultTypes: ['violations'], preload: false}).then((r) =>
		r.violations.map((v) => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + n.failureSummary)})))`)
	if err := json.Unmarshal(answer, &found); err != nil {
		d.t.Fatal(err)
	}
	for _, f := range found {
		text := fmt.Sprintf("axe on %s: %s %s, %s: %q", page, f.Impact, f.ID, f.Help, f.Nodes)
		if f.Impact == "serious" || f.Impact == "critical" {
			d.t.Error(text)
		} else {
			d.t.Log(text)
		}
	}
}

// fitsTheScreen fails when the page is wider than the screen: nobody should have to
// scroll sideways.
func (d *desk) fitsTheScreen(page string) {
	d.t.Helper()
	if wide := evaluate[int](d.tab, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
		d.t.Errorf("%s is %d pixels wider than the screen", page, wide)
	}
}

// weight fails when what was loaded so far is over 200 kB, as it came over the wire.
func (d *desk) weight() {
	d.t.Helper()
	evaluate[any](d.tab, `null`) // what came before it has been told
	d.seen.Lock()
	defer d.seen.Unlock()
	sum := 0.0
	for _, bytes := range d.seen.loaded {
		sum += bytes
	}
	d.t.Logf("the first load is %.1f kB, in %d requests", sum/1000, len(d.seen.loaded))
	if sum == 0 || sum > 200_000 {
		d.t.Errorf("the first load is %.1f kB, want less than 200", sum/1000)
	}
}
