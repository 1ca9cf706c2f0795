package crm_test

import (
	"testing"

	"chatcast/crm"
)

// TestNumberInTwoForms checks which numbers are written in two ways.
func TestNumberInTwoForms(t *testing.T) {
	for typed, want := range map[string]string{
		"5215512345678": "525512345678", "525512345678": "5215512345678", "5491123456789": "541123456789", "541123456789": "5491123456789",
		"5544997586617": "554497586617", "554497586617": "5544997586617",
		"554430001000": "", "79990001122": "", "52": "", "5": "", "": "", "5512345": "",
	} {
		if got := crm.OtherSpelling(typed); got != want {
			t.Errorf("%s is also %q, want %q", typed, got, want)
		}
	}
}
