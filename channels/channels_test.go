package channels_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"chatcast/channels"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("x", channels.MaxLength)
	for full, want := range map[string]channels.Name{
		"news":                      {Base: "news"},
		"a":                         {Base: "a"},
		long:                        {Base: long},
		"-_=@,.;09AZ":               {Base: "-_=@,.;09AZ"},
		"privateer":                 {Base: "privateer"},
		"private":                   {Base: "private"},
		"Private-x":                 {Base: "Private-x"},
		"encrypted-x":               {Base: "encrypted-x"},
		"presence":                  {Base: "presence"},
		"private-x":                 {Base: "x", Kind: channels.Private},
		"private-":                  {Base: "", Kind: channels.Private},
		"private-presence-x":        {Base: "presence-x", Kind: channels.Private},
		"private-private-x":         {Base: "private-x", Kind: channels.Private},
		"private-encrypted-x":       {Base: "x", Kind: channels.Private, Encrypted: true},
		"private-cache-x":           {Base: "x", Kind: channels.Private, Cache: true},
		"private-encrypted-cache-x": {Base: "x", Kind: channels.Private, Encrypted: true, Cache: true},
		"private-cache-encrypted-x": {Base: "encrypted-x", Kind: channels.Private, Cache: true},
		"presence-x":                {Base: "x", Kind: channels.Presence},
		"presence-encrypted-x":      {Base: "encrypted-x", Kind: channels.Presence},
		"presence-cache-x":          {Base: "x", Kind: channels.Presence, Cache: true},
		"cache-x":                   {Base: "x", Cache: true},
		"cached-x":                  {Base: "cached-x"},
		"#server-to-user-7":         {Base: "7", Kind: channels.User},
		"#server-to-user-a|ü b":     {Base: "a|ü b", Kind: channels.User},
		longestUser:                 {Base: strings.Repeat("😀", 128), Kind: channels.User},
	} {
		want.Full = full
		got, err := channels.Parse(full)
		if err != nil || got != want {
			t.Errorf("%q: %+v %v, want %+v", full, got, err, want)
		}
		if guarded := got.Kind == channels.Private || got.Kind == channels.Presence; got.Guarded() != guarded {
			t.Errorf("%q: guarded %v", full, got.Guarded())
		}
	}
}

var longestUser = channels.UserName(strings.Repeat("😀", channels.MaxUserID))

func TestParseErrors(t *testing.T) {
	for full, want := range map[string]error{
		"":                                    channels.ErrEmpty,
		"#server-to-user-":                    channels.ErrUserID,
		longestUser + "x":                     channels.ErrUserID,
		"#server-to-user-a\x7f":               channels.ErrUserID,
		"#server-to-user-a\xff":               channels.ErrUserID,
		"#server-to-user-\u0085":              channels.ErrUserID,
		strings.Repeat("x", 201):              channels.ErrTooLong,
		"private-" + strings.Repeat("x", 193): channels.ErrTooLong,
		"with space":                          channels.ErrChars,
		"tab\t":                               channels.ErrChars,
		"nul\x00":                             channels.ErrChars,
		"ünï":                                 channels.ErrChars,
		"bad\xff":                             channels.ErrChars,
		"a/b":                                 channels.ErrChars,
		"a:b":                                 channels.ErrChars,
		"a#b":                                 channels.ErrChars,
		"#server-to-user":                     channels.ErrChars,
		"#other":                              channels.ErrChars,
		`"quoted"`:                            channels.ErrChars,
	} {
		if got, err := channels.Parse(full); !errors.Is(err, want) {
			t.Errorf("%.30q: %+v %v, want %v", full, got, err, want)
		}
	}
}

func TestRoom(t *testing.T) {
	line := channels.Room{Family: channels.Line, LicenseID: 1229, Messenger: "grWhatsApp"}
	company := channels.Room{Family: channels.Company, CompanyID: 2224}
	person := channels.Room{Family: channels.Person, UserID: 685}
	mine := channels.Room{Family: channels.CompanyUser, CompanyID: 2224, UserID: 685}
	for full, want := range map[string]channels.Room{
		"private-v1.licenses.1229.messengers.grWhatsApp":  line,
		"presence-v1.licenses.1229.messengers.grWhatsApp": line,
		"private-v1.companies.2224":                       company,
		"presence-v1.companies.2224":                      company,
		"private-v1.users.685":                            person,
		"private-v1.companies.2224.users.685":             mine,
		"private-v1.users.9223372036854775807":            {Family: channels.Person, UserID: 1<<63 - 1},

		"v1.users.685":                                                {},
		"presence-v1.users.685":                                       {},
		"presence-v1.companies.2224.users.685":                        {},
		"private-encrypted-v1.users.685":                              {},
		"private-cache-v1.users.685":                                  {},
		"#server-to-user-685":                                         {},
		"private-v1":                                                  {},
		"private-v1.":                                                 {},
		"private-v2.users.685":                                        {},
		"private-v1.users":                                            {},
		"private-v1.users.":                                           {},
		"private-v1.users.0":                                          {},
		"private-v1.users.-1":                                         {},
		"private-v1.users.0685":                                       {},
		"private-v1.users.685.":                                       {},
		"private-v1.users.685.x":                                      {},
		"private-v1.users.6_85":                                       {},
		"private-v1.users.685x":                                       {},
		"private-v1.users.9223372036854775808":                        {},
		"private-v1.users.99999999999999999999999999":                 {},
		"private-v1.companies.2224.lines":                             {Family: channels.CompanyLines, CompanyID: 2224},
		"private-v1.companies.2224.lines.":                            {},
		"private-v1.companies.2224.":                                  {},
		"private-v1.companies.2224.users":                             {},
		"private-v1.companies.2224.users.":                            {},
		"private-v1.companies.2224.users.685.x":                       {},
		"private-v1.companies.2224.users.0":                           {},
		"private-v1.licenses.1229":                                    {},
		"private-v1.licenses.1229.":                                   {},
		"private-v1.licenses.1229.messengers":                         {},
		"private-v1.licenses.1229.messengers.":                        {},
		"private-v1.licenses.1229.messengers.a.b":                     {},
		"private-v1.licenses.1229.messengers.1a":                      {},
		"private-v1.licenses.1229.messengers.a-b":                     {},
		"private-v1.licenses.x.messengers.telegram":                   {},
		"private-v1.licenses..messengers.telegram":                    {},
		"private-v1.other.1":                                          {},
		"private-v1.licenses.1.messengers." + strings.Repeat("x", 33): {},
	} {
		name, err := channels.Parse(full)
		if err != nil {
			t.Fatalf("%q: %v", full, err)
		}
		if want != (channels.Room{}) && !name.Reserved() {
			t.Errorf("%q is not reserved", full)
		}
		if got := name.Room(); got != want {
			t.Errorf("%q: %+v, want %+v", full, got, want)
		}
	}
}

// Names that could be taken for a CRM channel's are reserved too.
func TestReserved(t *testing.T) {
	for full, want := range map[string]bool{
		"private-v1.users.685": true, "presence-v1.users.685": true, "private-cache-v1.users.685": true, "presence-cache-v1.companies.1": true,
		"private-encrypted-v1.companies.1.users.2": true, "private-encrypted-cache-v1.licenses.1.messengers.a": true,

		"v1.users.685": false, "cache-v1.users.685": false, "#server-to-user-v1.users.685": false, "private-v1.orders.1": false, "private-v1.users.x": false,
		"private-x.v1.users.685": false, "private-presence-v1.users.685": false, "private-private-v1.users.685": false,
	} {
		name, err := channels.Parse(full)
		if err != nil || name.Reserved() != want {
			t.Errorf("%q: %v, %v", full, name.Reserved(), err)
		}
	}
}

// TestNamesComeBack parses the names that the package makes.
func TestNamesComeBack(t *testing.T) {
	for full, family := range map[string]channels.Family{
		channels.LineName(1, "telegram"): channels.Line,
		channels.CompanyName(2):          channels.Company,
		channels.PersonName(3):           channels.Person,
		channels.CompanyUserName(4, 5):   channels.CompanyUser,
	} {
		name, err := channels.Parse(full)
		if err != nil || name.Room().Family != family || name.Kind != channels.Private {
			t.Errorf("%s: %+v %v", full, name.Room(), err)
		}
	}
}

// FuzzParse checks what other packages rely on: a valid name consists of its prefixes
// and its base, and a room has one name.
func TestWithCompanyLines(t *testing.T) {
	line, person := channels.LineName(1229, "grWhatsApp"), channels.CompanyUserName(2224, 685)
	for _, c := range []struct{ names, want []string }{
		{[]string{line, person}, []string{line, person, "private-v1.companies.2224.lines"}},
		{[]string{person, line}, []string{person, line, "private-v1.companies.2224.lines"}},
		{[]string{person}, []string{person}},
		{[]string{channels.PairingName(1229, "grWhatsApp")}, []string{channels.PairingName(1229, "grWhatsApp")}},
		{[]string{channels.CompanyName(2224), "private-v1.licenses.x"}, []string{channels.CompanyName(2224), "private-v1.licenses.x"}},
		{nil, nil},
	} {
		if got := channels.WithCompanyLines(2224, c.names); !slices.Equal(got, c.want) {
			t.Errorf("%q becomes %q", c.names, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "news", "private-encrypted-cache-x", "cache-x", "presence-cache-x", "private-presence-cache-x", "#server-to-user-cache-x", "#server-to-user-a\tb", "presence-v1.companies.2224", "#server-to-user-7",
		"private-v1.licenses.1229.messengers.grWhatsApp", "private-v1.companies.2.users.3", "private-v1.users.01", "ü", "a b",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := channels.Parse(s)
		if err != nil {
			if n != (channels.Name{}) {
				t.Fatalf("%q: a name with an error: %+v", s, n)
			}
			return
		}
		if n.Full != s || !strings.HasSuffix(s, n.Base) || s == "" || len(s) > channels.MaxLength && n.Kind != channels.User {
			t.Fatalf("%q: %+v", s, n)
		}
		if channels.HasCache(s) != n.Cache {
			t.Fatalf("%q has a cache: %v, and %+v", s, channels.HasCache(s), n)
		}
		if n.Kind == channels.User && (channels.UserName(n.Base) != s || !channels.ValidUserID(n.Base)) {
			t.Fatalf("%q: %+v", s, n)
		}
		r := n.Room()
		if r == (channels.Room{}) {
			return
		}
		again := map[channels.Family]string{
			channels.Line: channels.LineName(r.LicenseID, r.Messenger), channels.Company: channels.CompanyName(r.CompanyID),
			channels.Person: channels.PersonName(r.UserID), channels.CompanyUser: channels.CompanyUserName(r.CompanyID, r.UserID),
			channels.Pairing: channels.PairingName(r.LicenseID, r.Messenger), channels.CompanyLines: channels.CompanyLinesName(r.CompanyID),
		}[r.Family]
		if strings.TrimPrefix(again, "private-") != n.Base {
			t.Fatalf("%q is room %+v, which is called %q", s, r, again)
		}
	})
}

// staff answers Access: who works where, and who reads what.
type staff struct{ err error }

func (s staff) MayReadLine(_ context.Context, user, license int64, messenger string) (bool, error) {
	return (user == 685 || user == 1000) && license == 1229 && messenger == "grWhatsApp", s.err
}

func (s staff) Employed(_ context.Context, user, company int64) (bool, error) {
	return (user == 685 || user == 700) && company == 2224, s.err
}

func (s staff) MayPairLine(_ context.Context, user, license int64, messenger string) (bool, error) {
	return user == 1000 && license == 1229 && messenger == "grWhatsApp", s.err
}

func (s staff) MayReadLines(_ context.Context, user, company int64) (bool, error) {
	return user == 1000 && company == 2224, s.err
}

// A user of 1000 and more stands for a key.
func (s staff) IsPerson(_ context.Context, user int64) (bool, error) { return user < 1000, s.err }

func TestPolicy(t *testing.T) {
	for _, c := range []struct {
		user    int64
		channel string
		enters  bool
	}{
		{685, "private-v1.licenses.1229.messengers.grWhatsApp", true},
		{685, "presence-v1.licenses.1229.messengers.grWhatsApp", true},
		{685, "private-v1.licenses.1229.messengers.telegram", false},
		{685, "private-v1.licenses.1230.messengers.grWhatsApp", false},
		{700, "private-v1.licenses.1229.messengers.grWhatsApp", false},
		{685, "private-v1.companies.2224", true},
		{700, "presence-v1.companies.2224", true},
		{701, "private-v1.companies.2224", false},
		{685, "private-v1.companies.2225", false},
		{685, "private-v1.users.685", true},
		{685, "private-v1.users.700", false},
		{1000, "private-v1.licenses.1229.messengers.grWhatsApp", true},
		{1000, "presence-v1.licenses.1229.messengers.grWhatsApp", false},
		{1000, "private-v1.users.1000", false},
		{1000, "private-v1.companies.2224.lines", true},
		{1000, "presence-v1.companies.2224.lines", false},
		{1000, "private-v1.companies.2225.lines", false},
		{685, "private-v1.companies.2224.lines", false},
		{1000, "private-v1.licenses.1229.messengers.grWhatsApp.pairing", true},
		{1000, "private-v1.licenses.1230.messengers.grWhatsApp.pairing", false},
		{1000, "presence-v1.licenses.1229.messengers.grWhatsApp.pairing", false},
		{1000, "private-v1.licenses.1229.messengers.pairing", false},
		{685, "private-v1.licenses.1229.messengers.grWhatsApp.pairing", false},
		{1000, "private-v1.companies.2224", false},
		{1000, "private-v1.companies.2224.users.1000", false},
		{685, "private-v1.companies.2224.users.685", true},
		{685, "private-v1.companies.2224.users.700", false},
		{685, "private-v1.companies.2225.users.685", false},
		{701, "private-v1.companies.2224.users.701", false},
		{0, "private-v1.users.0", false},
		{685, "private-anything", false},
		{685, "presence-anything", false},
		{685, "news", false},
		{685, "private-encrypted-v1.users.685", false},
		{685, "#server-to-user-685", false},
	} {
		name, err := channels.Parse(c.channel)
		if err != nil {
			t.Fatal(err)
		}
		err = channels.Policy{Access: staff{}}.Authorize(context.Background(), c.user, name)
		if c.enters && err != nil || !c.enters && !errors.Is(err, channels.ErrDenied) {
			t.Errorf("%d on %s: %v", c.user, c.channel, err)
		}
	}
	// Authorize passes on an error of Access: it is neither nil nor ErrDenied.
	broken := errors.New("database is gone")
	name, _ := channels.Parse("private-v1.companies.2224")
	err := channels.Policy{Access: staff{broken}}.Authorize(context.Background(), 685, name)
	if !errors.Is(err, broken) || errors.Is(err, channels.ErrDenied) {
		t.Errorf("a fault became %v", err)
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		n, err := channels.Parse("presence-v1.licenses.1229.messengers.grWhatsApp")
		if err != nil || n.Room().Family != channels.Line {
			t.Error(n, err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
