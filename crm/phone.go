package crm

import "strings"

// OtherSpelling returns the other way to write a mobile number of Mexico, Argentina or
// Brazil, or "" when there is none. WhatsApp knows some people of these countries by the
// older form, which has a digit less or more than people type.
func OtherSpelling(phone string) string {
	country, rest := phone[:min(2, len(phone))], phone[min(2, len(phone)):]
	switch {
	case country == "52" && len(rest) == 11 && rest[0] == '1', country == "54" && len(rest) == 11 && rest[0] == '9':
		return country + rest[1:]
	case country == "52" && len(rest) == 10:
		return "521" + rest
	case country == "54" && len(rest) == 10:
		return "549" + rest
	case country == "55" && len(rest) == 11 && rest[2] == '9':
		return "55" + rest[:2] + rest[3:]
	case country == "55" && len(rest) == 10 && rest[2] >= '6': // a mobile number, not a landline
		return "55" + rest[:2] + "9" + rest[2:]
	}
	return ""
}

// sameNumber reports whether two different texts are spellings of the same number.
func sameNumber(a, b string) bool {
	return a != "" && b != "" && (OtherSpelling(a) == b || OtherSpelling(b) == a)
}

// phoneIn returns the phone number of a chat's id that is one, see phoneChat.
func phoneIn(id string) string { return strings.TrimSuffix(id, "@c.us") }
