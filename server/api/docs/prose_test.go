package docs

import "testing"

func TestProse(t *testing.T) {
	b := &builder{places: map[string]string{"POST /v1/tokens": "#post-v1-tokens"}}
	for text, want := range map[string]string{
		"one\ntwo\n\nthree":                "<p>one two</p><p>three</p>",
		"- a\n  more\n- b":                 "<ul><li>a more</li><li>b</li></ul>",
		"**who** `<b>` [here](/docs)":      `<p><strong>who</strong> <code>&lt;b&gt;</code> <a href="/docs">here</a></p>`,
		"see `POST /v1/tokens`":            `<p>see <a href="#post-v1-tokens"><code>POST /v1/tokens</code></a></p>`,
		"<script>alert(1)</script>":        "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
		"[x](javascript:alert(1)) a ` b":   "<p>[x](javascript:alert(1)) a ` b</p>",
		`[x](/" onclick="alert(1)) **"** `: `<p>[x](/&#34; onclick=&#34;alert(1)) <strong>&#34;</strong></p>`,
		"":                                 "",
	} {
		if got := string(b.prose(text)); got != want {
			t.Errorf("%q became\n%s, want\n%s", text, got, want)
		}
	}
}
