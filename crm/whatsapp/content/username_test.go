package content

import (
	"strings"
	"testing"
)

func TestUsername(t *testing.T) {
	for name, want := range map[string]string{
		"carla": "carla", "@carla.b_1": "carla.b_1", "": "", "@": "", " \u200b\u2066\n": "", "a\u202eb\u2069c": "abc",
		"\U0001F950bakery": "\U0001F950bakery", "كارلا": "كارلا", "a\x00\xffb": "ab", strings.Repeat("x", 300): strings.Repeat("x", MaxName),
	} {
		got := Username(name)
		if got == nil && want != "" || got != nil && *got != want {
			t.Errorf("%q is %v, want %q", name, got, want)
		}
	}
}
