package channels

import (
	"slices"
	"strconv"
	"strings"
)

// Family is the family of CRM channels that a name belongs to.
type Family uint8

// Families of the CRM's channels, API version 1.
const (
	None         Family = iota // not a channel of the CRM
	Line                       // v1.licenses.{id}.messengers.{type}
	Company                    // v1.companies.{id}
	Person                     // v1.users.{id}
	CompanyUser                // v1.companies.{id}.users.{id}: a person's filtered view of all lines
	Pairing                    // v1.licenses.{id}.messengers.{type}.pairing: codes to pair the line with, for programs
	CompanyLines               // v1.companies.{id}.lines: what is in the channels of all lines, for programs
)

func (f Family) String() string {
	return [...]string{"none", "line", "company", "person", "companyUser", "pairing", "companyLines"}[f]
}

// Room is a CRM channel without its kind: the part that private-v1... and
// presence-v1... have in common. Fields that the family does not use are zero.
type Room struct {
	Family    Family
	LicenseID int64
	Messenger string
	CompanyID int64
	UserID    int64
}

// Room returns the room of the CRM that n leads to. Its Family is None if n is not a
// CRM channel. Plain private names lead to every family, presence names to Line and
// Company, all other names to none. Ids are decimal, positive and without leading
// zeros, so that each room has one spelling.
func (n Name) Room() Room {
	if !n.Guarded() || n.Encrypted || n.Cache {
		return Room{}
	}
	r := parseRoom(n.Base)
	if n.Kind == Presence && r.Family != Line && r.Family != Company {
		return Room{}
	}
	return r
}

// Reserved reports whether n is a CRM channel or looks like one: a private or presence
// name of a room, also in the kinds and with the prefixes that lead to no room. No app
// may use such a name for channels of its own.
func (n Name) Reserved() bool { return n.Guarded() && parseRoom(n.Base).Family != None }

func parseRoom(base string) Room {
	rest, ok := strings.CutPrefix(base, "v1.")
	if !ok {
		return Room{}
	}
	noun, rest, _ := strings.Cut(rest, ".")
	idText, rest, more := strings.Cut(rest, ".")
	id, ok := parseID(idText)
	if !ok {
		return Room{}
	}
	switch noun {
	case "licenses":
		typ, ok := strings.CutPrefix(rest, "messengers.")
		family := Line
		if of, pairing := strings.CutSuffix(typ, suffixPairing); pairing {
			family, typ = Pairing, of
		}
		if !ok || !ValidMessenger(typ) {
			return Room{}
		}
		return Room{Family: family, LicenseID: id, Messenger: typ}
	case "companies":
		if !more {
			return Room{Family: Company, CompanyID: id}
		}
		if rest == "lines" {
			return Room{Family: CompanyLines, CompanyID: id}
		}
		userText, ok := strings.CutPrefix(rest, "users.")
		if !ok {
			return Room{}
		}
		user, ok := parseID(userText)
		if !ok {
			return Room{}
		}
		return Room{Family: CompanyUser, CompanyID: id, UserID: user}
	case "users":
		if more {
			return Room{}
		}
		return Room{Family: Person, UserID: id}
	}
	return Room{}
}

// parseID parses a decimal id in canonical form: no sign, no leading zero, within
// int64.
func parseID(s string) (int64, bool) {
	if s == "" || s[0] == '0' || s[0] == '+' || s[0] == '-' {
		return 0, false
	}
	id, err := strconv.ParseInt(s, 10, 64)
	return id, err == nil
}

// ValidMessenger reports whether typ can be a messenger type: 1 to 32 letters and
// digits, beginning with a letter, as in channel names and routes.
func ValidMessenger(typ string) bool {
	if typ == "" || len(typ) > 32 {
		return false
	}
	for i := 0; i < len(typ); i++ {
		c := typ[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// LineName returns the private channel of one messenger of one licence.
func LineName(licenseID int64, messenger string) string {
	return prefixPrivate + "v1.licenses." + strconv.FormatInt(licenseID, 10) + ".messengers." + messenger
}

const suffixPairing = ".pairing"

// PairingName returns the private channel of the codes that pair the line.
func PairingName(licenseID int64, messenger string) string {
	return LineName(licenseID, messenger) + suffixPairing
}

// CompanyName returns the private channel of a company.
func CompanyName(companyID int64) string {
	return prefixPrivate + "v1.companies." + strconv.FormatInt(companyID, 10)
}

// PersonName returns the private channel of a user.
func PersonName(userID int64) string {
	return prefixPrivate + "v1.users." + strconv.FormatInt(userID, 10)
}

// CompanyUserName returns the private channel with a user's view of their company.
func CompanyUserName(companyID, userID int64) string {
	return CompanyName(companyID) + ".users." + strconv.FormatInt(userID, 10)
}

// CompanyLinesName returns the private channel of all lines of a company.
func CompanyLinesName(companyID int64) string { return CompanyName(companyID) + ".lines" }

// WithCompanyLines adds the channel of all lines of a company to the names of the channels
// that an event is in, if one of them is a line's. Nothing stores it: it is added when an event
// is published.
func WithCompanyLines(companyID int64, names []string) []string {
	if !slices.ContainsFunc(names, isLine) {
		return names
	}
	return append(slices.Clip(names), CompanyLinesName(companyID))
}

// isLine reports whether a name is one of LineName.
func isLine(full string) bool {
	if !strings.HasPrefix(full, prefixPrivate+"v1.licenses.") { // most names are those of people
		return false
	}
	n, err := Parse(full)
	return err == nil && n.Room().Family == Line
}

// PresenceOf returns the presence channel of the same room as a private channel from
// LineName or CompanyName.
func PresenceOf(private string) string {
	return prefixPresence + strings.TrimPrefix(private, prefixPrivate)
}
