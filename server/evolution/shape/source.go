package shape

import "strings"

// Source returns the kind of program that made a message, as the form of its id tells.
func Source(id string) string {
	switch n := len(id); {
	case strings.HasPrefix(id, "3A") && n == 20 && isHex(id):
		return "ios"
	case strings.HasPrefix(id, "3E") && n == 22 && isHex(id):
		return "web"
	case (n == 21 || n == 32) && isHex(id):
		return "android"
	case strings.HasPrefix(id, "3F") || n == 18 && isHex(id):
		return "desktop"
	}
	return "unknown"
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'F') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
