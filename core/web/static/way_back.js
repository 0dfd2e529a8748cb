// What a form led to has no address of its own. So that the way back later leads to the form instead of to
// the browser's question whether to send it again, this entry of the history becomes a visit.
history.replaceState(history.state, "");
