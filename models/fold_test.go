package models_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"chatcast/models"
)

func TestFold(t *testing.T) {
	for text, want := range map[string]string{
		"Tomás":                 "tomas",
		"TOMAS":                 "tomas",
		"Toma\u0301s":           "tomas",
		"Zażółć gęślą jaźń":     "zazolc gesla jazn",
		"Đặng Thị":              "dang thi",
		"Straße":                "strasse",
		"Ærøskøbing":            "aeroskobing",
		"İstanbul, Iğdır":       "istanbul, igdir",
		"Иван":                  "иван",
		"Ёлка":                  "елка",
		"Чай":                   "чай",
		"за\u0301мок":           "замок",
		"Їжак":                  "їжак",
		"Ќерка":                 "ќерка",
		"ΌΜΗΡΟΣ όμηρος":         "ομηροσ ομηροσ",
		"مُحَمَّد":              "محمد",
		"محـــمد":               "محمد",
		"שָׁלוֹם":               "שלום",
		"ｆｕｌｌ　width":            "full width",
		"ガギ が":                  "ガギ が",
		"한글":                    "한글",
		"ที่นี่":                "ที่นี่",
		"हिन्दी":                "हिन्दी",
		"so\u00adft zero\u200d": "soft zero",
		"❤\ufe0f":               "❤",
		"  a \n\t b  ":          "a b",
		"":                      "",
	} {
		if got := models.Fold(text); got != want {
			t.Errorf("Fold(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Tomás", "Ё", "ς", "ﬁ", "\u0345", "İ", "ẞ", "가", "ǰ", "Ａ\u0301", "\u00b4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		once := models.Fold(s)
		if !utf8.ValidString(once) {
			t.Errorf("Fold(%q) = %q is not UTF-8", s, once)
		}
		for _, w := range models.SearchWords(s) {
			if w.Text == "" || strings.ContainsAny(w.Text, " '\"\\*:&|!()") {
				t.Errorf("a word of %q is %q", s, w.Text)
			}
		}
	})
}

func TestSearchWords(t *testing.T) {
	for search, want := range map[string][]string{
		"Tomás pidió":           {"pidio*", "tomas*"},
		"a bc":                  {"a", "bc*"},
		"tomas TOMÁS":           {"tomas*"},
		"iPhone15, 256":         {"256*", "iphone15*"},
		`NEAR("x" y*) OR NOT z`: {"near*", "not*", "or*", "x", "y", "z"},
		"東":                     {"東*"},
		"東京都":                   {"京都", "東京"},
		"ラーメン":                  {"メン", "ラー", "ーメ"},
		"Sony製":                 {"sony*", "製*"},
		"👍🏽":                    {"👍"},
		"?! … ' \" * \\ €":      nil,
	} {
		var got []string
		for _, w := range models.SearchWords(search) {
			text := w.Text
			if w.Prefix {
				text += "*"
			}
			got = append(got, text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("SearchWords(%q) = %q, want %q", search, got, want)
		}
	}
}
