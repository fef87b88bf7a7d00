"""Actions on a cluster: what there is, what one will touch, what came back of it. Nothing here sends anything."""
