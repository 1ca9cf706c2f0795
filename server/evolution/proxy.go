package evolution

import (
	"net/url"

	"chatcast/crm"
)

func proxyRoutes() []route {
	return []route{
		{methods: "POST", path: "/proxy/set/:instance", body: schema{
			flag("enabled"), str("host"), str("port"), str("protocol").one("http", "https", "socks5", "socks4", "socks"), str("username"), str("password"),
		}, do: setProxy},
		{methods: "GET", path: "/proxy/find/:instance", do: findProxy},
	}
}

// proxyRow is a proxy as answers show it: never with its password.
type proxyRow struct {
	Enabled  bool    `json:"enabled"`
	Host     string  `json:"host"`
	Port     string  `json:"port"`
	Protocol string  `json:"protocol"`
	Username *string `json:"username"`
	Password *string `json:"password"` // null
}

func setProxy(q *request) (answer, error) {
	b := q.body
	if _, has := q.raw["enabled"]; !has { // an empty text is there, and means off: n8n sends it
		return answer{}, q.violations([]violation{{"instance", `requires property "enabled"`, ""}})
	}
	change := crm.LineSettingsChanges{Proxy: crm.Value("")}
	row := proxyRow{Host: text(b, "host"), Port: text(b, "port"), Protocol: text(b, "protocol"), Username: textOrNil(text(b, "username"))}
	if row.Enabled = isTrue(b, "enabled"); row.Enabled {
		address, err := proxyURL(row.Host, row.Port, row.Protocol, text(b, "username"), text(b, "password"))
		if err != nil || address == "" {
			return answer{}, errProxy
		}
		change.Proxy = crm.Value(address)
		if err := q.e.CRM.TryProxy(q.ctx, q.actor, q.line(), address); blames(err, "proxy") {
			return answer{}, errProxy
		} else if err != nil {
			return answer{}, err
		}
	}
	if _, err := q.e.CRM.ChangeLineSettings(q.ctx, q.actor, q.line(), change); err != nil {
		if blames(err, "proxy") {
			err = errProxy
		}
		return answer{}, err
	}
	return made(struct {
		Proxy any `json:"proxy"`
	}{struct {
		InstanceName string   `json:"instanceName"`
		Proxy        proxyRow `json:"proxy"`
	}{q.instance.Name, row}}), nil
}

func findProxy(q *request) (answer, error) {
	settings, err := q.e.CRM.LineSettings(q.ctx, q.actor, q.line())
	if err != nil {
		return answer{}, err
	}
	if settings.Proxy == nil {
		return answer{}, absent("Proxy not found")
	}
	row, err := rowOfProxy(*settings.Proxy)
	if err != nil {
		return answer{}, err
	}
	return ok(row), nil
}

// rowOfProxy returns the row of a proxy's URL, which has no password any more.
func rowOfProxy(address string) (proxyRow, error) {
	u, err := url.Parse(address)
	if err != nil {
		return proxyRow{}, err
	}
	row := proxyRow{Enabled: true, Host: u.Hostname(), Port: u.Port(), Protocol: u.Scheme}
	if u.User != nil {
		row.Username = textOrNil(u.User.Username())
	}
	return row, nil
}
