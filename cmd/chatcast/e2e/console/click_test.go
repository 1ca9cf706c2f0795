package console

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/chromedp/chromedp"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

// aim brings an element that stands still onto the screen, and tells where to click. Until
// unaim, the page does not see a click beside the element: it may move until the mouse is
// there, and another element may be in its place.
const aim = `async function() {
	this.scrollIntoView({block: 'nearest', inline: 'nearest', behavior: 'instant'});
	const where = () => this.getClientRects()[0] ?? this.getBoundingClientRect();
	const frame = () => new Promise((done) => { requestAnimationFrame(done); setTimeout(done, 100); });
	const before = where();
	await frame();
	await frame();
	const box = where(), still = ['x', 'y', 'width', 'height'].every((of) => box[of] === before[of]);
	const x = box.x + box.width / 2, y = box.y + box.height / 2;
	const isOn = (at) => at instanceof Node && (this.contains(at) || at.contains(this));
	const under = document.elementFromPoint(x, y);
	const over = !still ? 'moving' : under === null ? 'at the edge of the screen' : 'under ' + under.outerHTML.slice(0, 120);
	const hit = still && !this.disabled && isOn(under);
	if (hit) {
		const kinds = ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click'];
		const guard = (e) => {
			window.aimed.missed ??= !isOn(e.target);
			if (!window.aimed.missed) return;
			e.preventDefault();
			e.stopImmediatePropagation();
		};
		window.aimed = {end: () => kinds.forEach((kind) => removeEventListener(kind, guard, true))};
		kinds.forEach((kind) => addEventListener(kind, guard, true));
	}
	return {x, y, hit, over};
}`

// unaim reports whether the click was beside the element. It was not if the page was left.
const unaim = `(() => { const a = window.aimed; delete window.aimed; a?.end(); return a?.missed === true; })()`

// click finds an element and clicks the mouse on its visible part.
func (d *consoleTab) click(role, name string) {
	d.T.Helper()
	fault := ""
	for end := time.Now().Add(testwait.Long); time.Now().Before(end); {
		var place struct {
			X, Y float64
			Hit  bool
			Over string
		}
		answer, err := d.at(d.find(role, name), aim)
		if err == nil && json.Unmarshal(answer, &place) == nil && place.Hit {
			d.Do(chromedp.MouseClickXY(place.X, place.Y))
			if missed, err := chromedp.Run(d.Ctx, chromedp.Evaluate[bool](unaim)); err != nil || !missed {
				return
			}
			place.Over = "moving"
		}
		fault = fmt.Sprint(place.Over, err)
		e2e.Evaluate[any](d.Tab, nextChange)
	}
	d.Picture("in-vain")
	d.T.Fatalf("the %s %q cannot be clicked: it is %s", role, name, fault)
}
