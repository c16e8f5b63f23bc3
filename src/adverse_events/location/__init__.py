"""Where authors say they are: profile texts and places as country, region and city, or unknown."""
