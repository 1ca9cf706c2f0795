// Package evolution serves the REST dialect of Evolution API, versions 1 and 2, and of l2msg, on
// the rules of the CRM. It is a plug of server: it imports server, crm, channels and its part
// shape, and no other plug. It starts no goroutine.
//
// An instance of Evolution is the instance of a line, see crm.Instance. Keys of companies and of
// lines are its apikeys; people's access tokens are not accepted here.
//
// # How a route is added
//
// Routes stand in tables, one for each noun, in the file of the noun:
//
//	func chatRoutes() []route {
//		return []route{
//			{methods: "POST", path: "/chat/whatsappNumbers/:instance", body: schema{list("numbers", str("")).must()}, do: whatsappNumbers},
//		}
//	}
//
//	func whatsappNumbers(q *request) (answer, error) {
//		numbers := texts(q.body, "numbers")
//		...
//		return ok(data), nil // or made(data) for 201
//	}
//
// The table is added to tables in routes.go, and each operation to openapi.yaml. A route with
// :instance in its path is served for a key that may use that instance, which is q.instance;
// q.actor acts in the rules, q.body holds the body: decoded from JSON or a form, with the words of
// version 1 lifted to those of version 2 (route.lifts), optional fields that are empty left out,
// and checked against route.body. q.query returns a parameter of the query. q.shape is the shape
// of the answer.
//
// An error is a *refusal: bad("Text is required") for 400, absent("No participants") for 404,
// failed("Error creating group", ...) for 500, notOffered("sendTemplate") for 501. Errors of the
// rules are translated by refusalOf; route.fail may replace that for a route with words of its
// own. Routes of groups set groupErrors, which gives what fields lack its other form.
package evolution
