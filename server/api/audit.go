package api

import (
	"github.com/gin-gonic/gin"

	"chatcast/crm"
	"chatcast/server"
)

// noteClient gives the rules the client of the request, for the audit log.
func noteClient(c *gin.Context) {
	from := crm.Client{Address: server.ClientAddress(c), UserAgent: c.Request.UserAgent()}
	c.Request = c.Request.WithContext(crm.WithClient(c.Request.Context(), from))
}

func (a *API) registerAudit(signedIn gin.IRouter) {
	signedIn.GET("/audit", a.serve(a.audit))
}

// audit answers with a page of the audit log of a company.
func (a *API) audit(c *gin.Context) (any, error) {
	q := crm.AuditQuery{PageQuery: queryPage(c), Action: c.Query("action")}
	var err error
	if q.CompanyID, err = queryID(c, "companyId"); err != nil {
		return nil, err
	}
	if q.UserID, err = queryID(c, "userId"); err != nil {
		return nil, err
	}
	if q.From, err = queryTime(c, "from"); err != nil {
		return nil, err
	}
	if q.To, err = queryTime(c, "to"); err != nil {
		return nil, err
	}
	return a.CRM.AuditLog(c.Request.Context(), actor(c), q)
}

// queryTime returns a time of the query in unix seconds, nil if it is missing.
func queryTime(c *gin.Context, name string) (*int64, error) {
	if _, given := c.GetQuery(name); !given {
		return nil, nil
	}
	at, err := queryInt(c, name)
	return &at, err
}
