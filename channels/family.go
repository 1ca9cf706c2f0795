package channels

import (
	"strconv"
	"strings"
)

// Family is which of the CRM's channels a name is.
type Family uint8

// Families of the CRM's channels, API version 1.
const (
	None        Family = iota // not a channel of the CRM
	Line                      // v1.licenses.{id}.messengers.{type}
	Company                   // v1.companies.{id}
	Person                    // v1.users.{id}
	CompanyUser               // v1.companies.{id}.users.{id}: a person's filtered view of all lines
)

func (f Family) String() string {
	return [...]string{"none", "line", "company", "person", "companyUser"}[f]
}

// Room is a CRM channel without its kind: what private-v1... and presence-v1...
// have in common. Fields that the family does not use are zero.
type Room struct {
	Family    Family
	LicenseID int64
	Messenger string
	CompanyID int64
	UserID    int64
}

// Room says which room of the CRM n leads to; Family is None when it is no CRM
// channel. Only plain private names lead to every family, and presence names to
// Line and Company. Ids are decimal, positive and without leading zeros, so that
// each room has one spelling.
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
		if !ok || !ValidMessenger(typ) {
			return Room{}
		}
		return Room{Family: Line, LicenseID: id, Messenger: typ}
	case "companies":
		if !more {
			return Room{Family: Company, CompanyID: id}
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

// parseID takes a decimal id as it is written canonically: no sign, no leading
// zero, within int64.
func parseID(s string) (int64, bool) {
	if s == "" || s[0] == '0' || s[0] == '+' || s[0] == '-' {
		return 0, false
	}
	id, err := strconv.ParseInt(s, 10, 64)
	return id, err == nil
}

// ValidMessenger says whether typ can be a messenger type: 1 to 32 letters and
// digits, letter first, as it stands in channel names and routes.
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

// LineName is the private channel of one messenger of one licence.
func LineName(licenseID int64, messenger string) string {
	return prefixPrivate + "v1.licenses." + strconv.FormatInt(licenseID, 10) + ".messengers." + messenger
}

// CompanyName is the private channel of a company.
func CompanyName(companyID int64) string {
	return prefixPrivate + "v1.companies." + strconv.FormatInt(companyID, 10)
}

// PersonName is the private channel of a user.
func PersonName(userID int64) string {
	return prefixPrivate + "v1.users." + strconv.FormatInt(userID, 10)
}

// CompanyUserName is the private channel with a user's view of their company.
func CompanyUserName(companyID, userID int64) string {
	return CompanyName(companyID) + ".users." + strconv.FormatInt(userID, 10)
}

// PresenceOf is the presence channel of the same room as a private one made by
// LineName or CompanyName.
func PresenceOf(private string) string {
	return prefixPresence + strings.TrimPrefix(private, prefixPrivate)
}
