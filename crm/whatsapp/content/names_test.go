package content

import (
	"strings"
	"testing"
)

func TestUsername(t *testing.T) {
	for name, want := range map[string]string{
		"carla": "carla", "@carla.b_1": "carla.b_1", "": "", "@": "", " \u200b\u2066\n": "", "a\u202eb\u2069c": "abc",
		"\u3164\u2800\u034f\ufe0f\U000e0041": "", "car\u3164la\u00ad": "carla", "саrla": "саrla", "carla.\u2764\ufe0f": "carla.\u2764",
		"\U0001F950bakery": "\U0001F950bakery", "كارلا": "كارلا", "a\x00\xffb": "ab", strings.Repeat("x", 300): strings.Repeat("x", MaxName),
	} {
		got := Username(name)
		if got == nil && want != "" || got != nil && *got != want {
			t.Errorf("%q is %v, want %q", name, got, want)
		}
	}
}

func TestName(t *testing.T) {
	for name, want := range map[string]string{
		"Anna": "Anna", " Anna \n": "Anna", "Anna\nof the\tmill": "Anna of the mill", "Anna\u202egnp.exe": "Annagnp.exe", "\u2066Anna\u2069": "Anna",
		"": "", " \u200b\u2066\n": "", "\u3164": "", "a\x00\x07b": "ab", "\u202e": "", "מרים\u200f": "מרים\u200f", "کتاب\u200cخانه": "کتاب\u200cخانه",
		"\U0001F469\u200d\U0001F373": "\U0001F469\u200d\U0001F373", "\xff": "\ufffd", strings.Repeat("ü", 300): strings.Repeat("ü", MaxName),
	} {
		if got := Name(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	if got := Name("\u202e ", "\u3164", " Anna", "Bea"); got != "Anna" {
		t.Errorf("the first that shows anything is %q", got)
	}
}
