package api

import (
	"bytes"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
	"chatcast/server"
)

func (a *API) registerTokens(v1 gin.IRouter) {
	v1.POST("/tokens", noStore, a.serve(a.makeToken))
	v1.POST("/tokens/refresh", noStore, a.serve(a.refreshToken))
	v1.GET("/tokens/check", noStore, a.serve(a.checkToken))
	v1.DELETE("/tokens", a.serve(a.revokeToken))
}

// makeToken signs a user in. ChatApp's clients send JSON, a form, or only a query.
func (a *API) makeToken(c *gin.Context) (any, error) {
	in := struct {
		Email    string `json:"email"`
		Password string `json:"password"`
		AppID    string `json:"appId"`
		Code     string `json:"code"` // of the second factor; not in the query, which proxies log
	}{Email: c.Query("email"), Password: c.Query("password"), AppID: c.Query("appId")}
	err := bodyOrForm(c, &in, func(form url.Values) {
		for key, dst := range map[string]*string{"email": &in.Email, "password": &in.Password, "appId": &in.AppID, "code": &in.Code} {
			if form.Has(key) {
				*dst = form.Get(key)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return a.CRM.MakeToken(c.Request.Context(), crm.SignIn{
		Email: in.Email, Password: in.Password, AppID: in.AppID, Code: in.Code, Address: server.ClientAddress(c), UserAgent: c.Request.UserAgent(),
	})
}

// refreshToken takes the token from the Refresh header, or from the body, where newer
// clients put it.
func (a *API) refreshToken(c *gin.Context) (any, error) {
	in := struct {
		RefreshToken string `json:"refreshToken"`
	}{c.GetHeader("Refresh")}
	if in.RefreshToken == "" {
		err := bodyOrForm(c, &in, func(form url.Values) { in.RefreshToken = form.Get("refreshToken") })
		if err != nil {
			return nil, err
		}
	}
	return a.CRM.RefreshToken(c.Request.Context(), in.RefreshToken, crm.Client{Address: server.ClientAddress(c), UserAgent: c.Request.UserAgent()})
}

func (a *API) checkToken(c *gin.Context) (any, error) {
	return a.CRM.CheckToken(c.Request.Context(), server.AccessToken(c.Request))
}

func (a *API) revokeToken(c *gin.Context) (any, error) {
	return nil, a.CRM.RevokeToken(c.Request.Context(), server.AccessToken(c.Request))
}

// noStore keeps tokens and passwords out of caches.
func noStore(c *gin.Context) { c.Header("Cache-Control", "no-store") }

// bodyOrForm reads a body that may be JSON, which it decodes into dst, or a form, which
// it passes to fill. Neither may have a field twice. No body is no error. A body that
// begins like a JSON object is JSON whatever its media type: curl -d sends it so.
func bodyOrForm(c *gin.Context, dst any, fill func(url.Values)) error {
	raw, err := readAnyBody(c)
	if err != nil || len(bytes.TrimSpace(raw)) == 0 {
		return err
	}
	typ, params, _ := mime.ParseMediaType(c.GetHeader("Content-Type"))
	object := bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{"))
	switch {
	case typ == "application/x-www-form-urlencoded" && !object:
		form, err := url.ParseQuery(string(raw))
		if err != nil {
			return crm.Invalid("body", "must be a form or JSON")
		}
		fill(form)
		return once(repeatedField(form))
	case typ == "multipart/form-data":
		form, err := fields(multipart.NewReader(bytes.NewReader(raw), params["boundary"]))
		if err != nil {
			return crm.Invalid("body", "must be a form or JSON")
		}
		fill(form)
		return once(repeatedField(form))
	}
	return decode(raw, dst, "")
}

// repeatedField returns the first field, by name, that the form has twice.
func repeatedField(form url.Values) string {
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if len(form[name]) > 1 {
			return name
		}
	}
	return ""
}

// fields returns the fields of a multipart form. The body is bounded already.
func fields(r *multipart.Reader) (url.Values, error) {
	form := url.Values{}
	for {
		part, err := r.NextPart()
		if err == io.EOF {
			return form, nil
		}
		if err != nil {
			return nil, err
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		form.Add(part.FormName(), string(value))
	}
}
