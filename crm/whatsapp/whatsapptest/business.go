package whatsapptest

// Business is what a business tells of itself.
type Business struct {
	Description, Address, Email string
	Websites, Categories        []string
	TimeZone                    string
	Hours                       []BusinessDay
}

// BusinessDay are the hours of a day of the week, in minutes since midnight.
type BusinessDay struct {
	Day, Mode   string
	Open, Close int
}

// DescribeBusiness makes the person a business with a verified name and a profile.
func (p *person) DescribeBusiness(name string, b Business) {
	defer p.srv.lock()()
	p.business, p.profile = name, b
}

// SetAbout sets the text about the person, as on the phone.
func (p *person) SetAbout(about string) {
	defer p.srv.lock()()
	p.about = about
}

// About returns the text about the person.
func (p *person) About() string {
	p.srv.mu.Lock()
	defer p.srv.mu.Unlock()
	return p.about
}

// iqBusiness answers what a business tells of itself. Others have no profile.
func (c *conn) iqBusiness(n node) ([]node, error) {
	asked, ok := child(n, "business_profile", "profile")
	if !ok {
		return nil, errUnknown
	}
	p := c.srv.find(jidOf(asked, "jid"))
	if p == nil || p.business == "" {
		return []node{{Tag: "business_profile"}}, nil
	}
	b := p.profile
	profile := node{Tag: "profile", Attrs: attrs{"jid": jidOf(asked, "jid")}}
	var parts, categories, days []node
	for _, text := range []struct{ tag, text string }{{"description", b.Description}, {"address", b.Address}, {"email", b.Email}} {
		if text.text != "" {
			parts = append(parts, node{Tag: text.tag, Content: []byte(text.text)})
		}
	}
	for _, site := range b.Websites {
		parts = append(parts, node{Tag: "website", Content: []byte(site)})
	}
	for _, name := range b.Categories {
		categories = append(categories, node{Tag: "category", Attrs: attrs{"id": "1"}, Content: []byte(name)})
	}
	for _, d := range b.Hours {
		a := attrs{"day_of_week": d.Day, "mode": d.Mode}
		if d.Mode == "specific_hours" {
			a["open_time"], a["close_time"] = d.Open, d.Close
		}
		days = append(days, node{Tag: "business_hours_config", Attrs: a})
	}
	profile.Content = append(parts, node{Tag: "categories", Content: categories}, node{Tag: "business_hours", Attrs: attrs{"timezone": b.TimeZone}, Content: days})
	return []node{{Tag: "business_profile", Attrs: attrs{"v": "244"}, Content: []node{profile}}}, nil
}
