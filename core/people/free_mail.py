"""Domains at which anybody can have a mail address, so that having one says nothing of where somebody works."""

from __future__ import annotations

from typing import Final

# The large ones of the world and of the German-speaking countries; a list of all does not exist.
FREE_MAIL: Final = frozenset((
    "gmail.com", "googlemail.com", "outlook.com", "outlook.de", "hotmail.com", "hotmail.de", "hotmail.co.uk",
    "hotmail.fr", "live.com", "live.de", "msn.com", "yahoo.com", "yahoo.de", "yahoo.co.uk", "yahoo.fr", "yahoo.it",
    "yahoo.es", "yahoo.co.jp", "yahoo.co.in", "ymail.com", "rocketmail.com", "icloud.com", "me.com", "mac.com",
    "aol.com", "aol.de", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "web.de", "mail.de", "email.de",
    "freenet.de", "t-online.de", "arcor.de", "posteo.de", "mailbox.org", "bluewin.ch", "hispeed.ch", "sunrise.ch",
    "a1.net", "chello.at", "aon.at", "proton.me", "protonmail.com", "protonmail.ch", "pm.me", "tutanota.com",
    "tutanota.de", "tuta.io", "tuta.com", "tutamail.com", "hey.com", "fastmail.com", "fastmail.fm", "zoho.com",
    "zohomail.eu", "mail.com", "email.com", "yandex.ru", "yandex.com", "ya.ru", "mail.ru", "bk.ru", "inbox.ru",
    "list.ru", "rambler.ru", "ukr.net", "qq.com", "foxmail.com", "163.com", "126.com", "yeah.net", "sina.com",
    "naver.com", "hanmail.net", "daum.net", "rediffmail.com", "orange.fr", "wanadoo.fr", "free.fr", "laposte.net",
    "sfr.fr", "libero.it", "virgilio.it", "tiscali.it", "alice.it", "ziggo.nl", "kpnmail.nl", "xs4all.nl",
    "telenet.be", "skynet.be", "wp.pl", "o2.pl", "interia.pl", "onet.pl", "seznam.cz", "centrum.cz", "azet.sk",
    "btinternet.com", "sky.com", "virginmedia.com", "comcast.net", "verizon.net", "att.net", "sbcglobal.net",
    "cox.net", "bol.com.br", "uol.com.br", "terra.com.br", "mailinator.com", "guerrillamail.com",
    "10minutemail.com", "yopmail.com", "trashmail.com",
))  # fmt: skip
