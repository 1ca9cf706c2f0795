package config

import (
	"net/mail"
	"net/url"
	"strings"
)

// Contact returns the security contact as a URI; empty if there is none.
func (s ServerConfig) Contact() string {
	if isEmail(s.SecurityContact) {
		return "mailto:" + s.SecurityContact
	}
	return s.SecurityContact
}

func isEmail(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text
}

func checkContact(text string, violations *ConfigError) {
	if text == "" || isEmail(text) {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || strings.ContainsAny(text, " \t"):
	case u.Scheme == "https" && u.Host != "", u.Scheme == "tel" && u.Opaque != "", u.Scheme == "mailto" && isEmail(u.Opaque):
		return
	}
	violations.add("server.security_contact", "must be an e-mail address, or begin with https://, mailto: or tel:")
}
