package api

import (
	"math"
	"strconv"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// queryPage is limit and nextPage of the query.
func queryPage(c *gin.Context) crm.PageQuery {
	q := crm.PageQuery{NextPage: c.Query("nextPage")}
	text, given := c.GetQuery("limit")
	if !given {
		return q
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		n = math.MaxInt // what crm.PageQuery refuses with its own sentence
	}
	q.Limit = n
	return q
}

// queryID is an id of the query, 0 when it is not there.
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

// queryBool is true or false of the query (1 and 0 too), nil when it is not there.
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
