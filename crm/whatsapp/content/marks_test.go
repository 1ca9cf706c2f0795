package content

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"chatcast/crm"
)

// marked is the golden file of texts with parseMode, as WhatsApp gets them.
const marked = "testdata/marked.json"

type markedText struct{ Mode, Text, Want string }

func TestMarked(t *testing.T) {
	raw, err := os.ReadFile(marked)
	if err != nil {
		t.Fatal(err)
	}
	var texts []markedText
	if err := json.Unmarshal(raw, &texts); err != nil {
		t.Fatal(err)
	}
	for i, c := range texts {
		got := Marked(c.Text, c.Mode)
		if got != c.Want && !*update {
			t.Errorf("%s %q:\n got %q\nwant %q", c.Mode, c.Text, got, c.Want)
		}
		texts[i].Want = got
	}
	if *update {
		b, err := json.MarshalIndent(texts, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(marked, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMarkedIsBounded checks that a text that is made to take long does not.
func TestMarkedIsBounded(t *testing.T) {
	began := time.Now()
	for _, part := range []string{">", "- ", "[", "**a** ", "*a_ ", "`", "<b>", "<a href=x>", "<a href=x>y", "<ul><li>", "~~", "![](", "<", "&",
		"+ ", "+\t", "- + ", "+ * ", "+ 1. ", "1) ", "+ > "} {
		for _, mode := range []string{"markdown", "html"} {
			text := strings.Repeat(part, crm.MaxText/len(part))
			if got := Marked(text, mode); strings.TrimSpace(got) == "" || utf8.RuneCountInString(got) > crm.MaxText {
				t.Errorf("%s of %q has %d bytes", mode, part, len(got))
			}
		}
	}
	if d := time.Since(began); d > 30*time.Second {
		t.Errorf("took %v", d)
	}
}

func FuzzMarked(f *testing.F) {
	f.Add("markdown", "**bold** _it_ ~~gone~~ `x` [a](http://b) \n> q\n\n- a\n- b\n\n```\ncode\n```")
	f.Add("html", "<b>bold</b> <i>it</i><br><a href=\"http://b\">a</a><ul><li>x</ul><pre>p</pre>&amp;")
	f.Add("html", "<b><i>crossing</b></i> in<b>word</b>s")
	f.Add("", "*plain*")
	f.Fuzz(func(t *testing.T, mode, text string) {
		got := Marked(text, mode)
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("%q became %q", text, got)
		}
		if strings.TrimSpace(text) != "" && strings.TrimSpace(got) == "" {
			t.Errorf("nothing is left of %q", text)
		}
		if mode == "" && got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}
