package api

import "github.com/gin-gonic/gin"

func (a *API) registerTokens(v1 gin.IRouter) {}
