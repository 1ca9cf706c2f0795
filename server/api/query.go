package api

import (
	"math"
	"strconv"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// queryPage reads limit and nextPage of the query.
func queryPage(c *gin.Context) crm.PageQuery {
	q := crm.PageQuery{NextPage: c.Query("nextPage")}
	text, given := c.GetQuery("limit")
	if !given {
		return q
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		n = math.MaxInt // crm.PageQuery refuses it with its own message
	}
	q.Limit = n
	return q
}

// queryID returns an id of the query, 0 if it is missing.
func queryID(c *gin.Context, name string) (int64, error) {
	text, given := c.GetQuery(name)
	if !given {
		return 0, nil
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, crm.Invalid(name, "must be an id: a positive integer")
	}
	return id, nil
}

// queryBool returns a boolean of the query (true, false, 1 or 0), nil if it is missing.
func queryBool(c *gin.Context, name string) (*bool, error) {
	switch text, given := c.GetQuery(name); {
	case !given:
		return nil, nil
	case text == "true" || text == "1":
		yes := true
		return &yes, nil
	case text == "false" || text == "0":
		no := false
		return &no, nil
	}
	return nil, crm.Invalid(name, "must be true or false")
}
