"""Common names and office words with letters beyond ASCII: evidence for how a file's bytes are meant.

Only their letters matter, so case does not; none is about a person. An alphabet's words are known as a
whole, East Asian ones by the family name they begin with. Chosen from the frequent names of each
language, so that each letter that two encodings read differently stands in several of them.
"""

from __future__ import annotations

from typing import Final

# German, Nordic, French, Iberian, Italian, Icelandic: what Windows-1252 and Mac Roman are used for.
_WESTERN = """
müller jürgen jörg jörn björn günter günther schäfer schröder krüger köhler könig köhn möller böhm böhme kühn krämer
schütz schütze grün grüner weiß groß strauß voß preuß süß jäger bäcker bäumer hübner förster löwe löffler lüders lüdtke
röder rößler schönfeld schöne würth würz vögel vogt-müller häußler hänsel käthe zoë chloé noël joël raphaël michaël
gaël maëlle anaïs loïc thaïs mélanie hélène irène geneviève solène adèle angèle pénélope céline aurélie amélie émilie
élodie éric érik étienne édouard élise élisabeth hervé rené renée andré andrée josé jérôme jérémy cédric frédéric
frédérique françois françoise benoît benoit stéphane stéphanie sébastien rémi rémy thérèse valérie véronique zoé léa
léo léon inès agnès désirée félix grégory guénolé laëtitia lætitia mickaël nicolò niccolò noémie océane théo timothée
valère côté bélanger lefèvre lefebvre-côté legendre-mère fournièr carrière rivière lemaître gérard bénard besançon
müßig größer müssig öztürk-müller françon garçon léger mercière mère dubé boulé jesús maría josefína sofía lucía
garcía martínez lópez gonzález rodríguez fernández hernández sánchez pérez gómez díaz muñoz núñez nuñez ibáñez yáñez
peña niño begoña íñigo iñaki iñigo ramón raúl rubén víctor héctor óscar ángel ángela andrés inés mónica verónica
concepción asunción jiménez ruíz álvarez vázquez suárez domínguez gutiérrez ramírez vásquez velázquez méndez cortés
castañeda peñalver ordóñez zúñiga quiñones araújo joão joana conceição gonçalves gonçalo magalhães guimarães simões
sebastião estêvão antónio antônio antónia inácio patrícia letícia mônica lúcia luís luísa álvaro césar júlia júlio
sérgio tânia vânia flávio cláudia cláudio verônica ângela ângelo brandão galvão leão leitão falcão serrão camões
aragão araújo fátima íris ítalo nicolò rosalìa forlì d’angelo niccolò donà dalmò jørgen jørn søren sørensen jørgensen
bjørn bjørg øystein øyvind åse åsa åke håkan håkon måns mårten pål pär gøran göran ingrid-åse anders-øst lærke lærk
kjær kjærgaard nørgaard østergaard ødegaard østby bjørnstad bødker møller gæde bæk bækgaard hæstrup kåre gård lindgård
åberg ångström öberg öhman sjöberg sjögren sjöström söderberg söderström bergström lindström nyström hellström
engström holmström åström åkesson håkansson svensson-åberg mårtensson jönsson jörgensen böök wäinö väinö päivi jääskeläinen
hämäläinen mäkelä mäkinen järvinen heikkilä väisänen määttä jyrkkä ståhl þór þórður þóra guðrún guðmundur sigurðsson
jóhannesdóttir jónsdóttir sigríður björk ásgeir ólafur ægir bjarnadóttir magnúsdóttir seán siobhán niamh-áine róisín
eilís máire pádraig ó o’neil o’neill o’brien o’connor o’reilly o’donnell d’arc d’amico d’angelo d’hondt d’agostino
büro geschäftsführung führung qualität qualitätssicherung österreich münchen köln düsseldorf zürich nürnberg
straße vertrieb-süd süd größe schönberg einkäufer verkäufer verkäuferin buchführung öffentlichkeitsarbeit prüfung
direção comunicação produção administração comercialización comunicación administración producción dirección logística
société ingénierie qualité sécurité comptabilité développement création métier résumé trésorerie économie forskning-ø
økonomi økonomie rådgivning kvalitet-å försäljning inköp företag förvaltning málaga københavn malmö göteborg
"""
# Polish, Czech, Slovak, Hungarian, Croatian, Serbian, Slovene, Romanian: Windows-1250 and its neighbours.
_CENTRAL = """
łukasz łukasiewicz paweł michał stanisław władysław zdzisław mirosław jarosław wacław bolesław bronisław wiesław rafał
małgorzata elżbieta żaneta grażyna bożena mieczysław kamińska kamiński wiśniewska wiśniewski dąbrowska dąbrowski
zielińska zieliński kozłowska kozłowski jabłońska jabłoński wójcik woźniak kołodziej król wróbel pawłowska michałowska
szymańska szymański majewska-żak żak gołębiowska gołębiowski zając mróz łuczak łysiak śliwa ślusarczyk świątek święcicki
czesława sławomir krzysztof-józef józef józefa róża janów góra górski górska piątek piłat cieślak chałupnik sobótka
dvořák dvořáková novák nováková jiří jiřina ondřej řehoř kateřina tomáš lukáš matěj zdeněk zdeňka věra květa květoslava
růžena růžička dušan miloš miloš aleš tomášová černý černá dvořáček svoboda-novák procházka procházková kučera veselý
horák horáková němec němcová beneš benešová fiala-šťastný šťastný šťastná říha kolář kolářová žižka čapek krejčí křížová
kříž jaroš havlíček hájek hájková bartoš štěpán štěpánka štefan štefánia ľubomír ľudmila ľuboš ďurica ďuriš kováč
kováčová baláž tóth nagyová šimon šimková zuzana-žofie žofie alžběta božena eliška vojtěch čeněk oldřich bedřich přemysl
kováč kovač kovačević horvat-šimić šimić marić petrović jovanović nikolić đorđević đorđe đurić marković stojanović
ilić pavlović milošević popović janković stanković tomić babić perić jurić matić knežević božić vuković filipović
željko željka živko živković žarko siniša saša miloš nataša tadić lučić krešimir šarić čović ćosić gašpar tomaž
blaž matjaž luka-žan žan uroš bojan-žiga žiga špela urška barbara-jožica jože alojz-kovačič kovačič zupančič mlakar-vidmarč
hočevar golob-križaj križaj potočnik nagy-győr győr győző jenő ernő szabó tóth kovács szűcs sütő erdős lőrincz lőrinc
gergő máté bálint balázs tamás lászló péter istván józsef mihály andrás jános sándor gábor zoltán-attila ágnes éva
katalin-erzsébet erzsébet zsófia-réka dóra mária magdolna-ildikó ildikó tünde piroska-ibolya gyöngyi csősz hegedűs
mészáros gál bíró vörös szőke török fűzesi ştefan ștefan ionuț ionuţ mihăiță andreea-mădălina mădălina cătălin cătălina
bogdan-răzvan răzvan gheorghiță sârbu țurcanu ţurcanu șerban şerban brașov iași bucurești dumitrașcu crăciun pădurariu
łódź kraków wrocław gdańsk poznań sprzedaż księgowość zarządzanie obsługa logistyka-łącznie jakość kierownik-działu dział
účetnictví výroba řízení oddělení kvalita-řízení prodej-nákup správa účtovníctvo oddelenie pénzügy értékesítés könyvelés
"""
# Turkish; Baltic and Estonian.
_OTHER_LATIN = """
yılmaz yıldız yıldırım yıldırım kılıç çağla çağlar çağrı çelik çetin şahin şeker şükrü şule şebnem ayşe ayşegül fatoş
gökçe gökhan gülşen güneş güneş özdemir öztürk özgür özlem özkan ömer önder ünal ümit uğur tuğçe tuğba tuğrul doğan
doğukan erdoğan oğuz oğuzhan toğrul buğra yiğit yağmur ışık ıtır i̇brahim i̇smail i̇pek i̇lker i̇nci aydın kadın altın
kırmızı barış bahadır arslan-çınar çınar mısra ipek-sıla sıla taşkın akış-coşkun coşkun kocabaş aktaş güleç koç genç
i̇stanbul i̇zmir muğla satış müşteri işletme üretim bakım sağlık bilişim yönetim
jānis jānis-bērziņš bērziņš kalniņš ozoliņš liepiņš krūmiņš pētersons pēteris mārtiņš ilmārs aigars-kārlis kārlis līga
ilze-dārta dārta inga-ērika ērika žanis čakste šķēle ģirts ķirsons ņikita ļubova rūta jūratė birutė eglė agnė rasa-živilė
živilė gintarė vaiva-šarūnė šarūnė šarūnas žygimantas jonas-mindaugas kęstutis algirdas-ąžuolas ąžuolas vytautė paulauskienė
kazlauskienė petrauskienė jankauskienė žukauskas šimkus čepaitis jõgi mägi tõnu tõnis õie õnne põld põder kõiv võsu
ülle ülo jüri märt mäe jürgenson sõber rõõm kadri-pärn pärn pärnu rīga šiauliai klaipėda
"""
_CYRILLIC = """
иванов иванова иван петров петрова сидоров смирнов смирнова кузнецов кузнецова попов попова васильев васильева соколов
соколова михайлов новиков новикова федоров федорова морозов волков волкова алексеев лебедев лебедева семенов егоров
павлов козлов степанов николаев орлов андреев макаров захаров александр александра алексей андрей анна анастасия антон
артем борис валентина виктор виктория виталий владимир вячеслав галина геннадий григорий дарья дмитрий евгений евгения
екатерина елена игорь илья ирина ксения кирилл константин лариса леонид людмила максим марина мария михаил надежда
наталья наталия никита николай олег ольга павел петр полина роман светлана сергей станислав татьяна федор юлия юрий
яна ярослав оксана тарас андрій олексій володимир сергій юрій віктор дмитро наталія ірина катерина шевченко коваленко
бондаренко ткаченко кравченко олійник мельник георги димитър иванка петър стоян тодор христо николов димитров георгиев
стоянов тодоров марко јован милош драган никола петровић јовановић марковић отдел продажи маркетинг бухгалтерия склад
"""
_GREEK = """
γιώργος γεώργιος γιάννης ιωάννης δημήτρης δημήτριος κώστας κωνσταντίνος νίκος νικόλαος βασίλης παναγιώτης χρήστος μαρία
ελένη αικατερίνη κατερίνα βασιλική σοφία αγγελική γεωργία αναστασία δήμητρα παπαδόπουλος παπαδοπούλου νικολάου γεωργίου
ιωάννου κωνσταντίνου δημητρίου αθανασίου βλάχος αντωνίου παππάς αλέξανδρος σπύρος θανάσης ειρήνη πωλήσεις αθήνα
"""
_HEBREW = """
כהן לוי מזרחי פרץ ביטון דהן אברהם פרידמן אזולאי חדד יוסף דוד משה יעקב יצחק שרה רחל לאה רבקה מרים דניאל אורי יעל נועה תמר
מיכל שירה אסתר חיים אליהו שמעון רונית גלית עומר איתי גבאי עמר אוחנה קליין שפירא גולן מכירות
"""
_ARABIC = """
محمد احمد أحمد علي حسن حسين محمود مصطفى ابراهيم إبراهيم خالد عمر عبد الله عبدالله يوسف سعيد فاطمة مريم زينب عائشة نور سارة
ليلى خديجة هدى سلمى ياسمين كريم طارق سامي رامي جمال كمال ناصر عادل فهد سلطان سعود العتيبي القحطاني الشمري الحربي المبيعات
"""
_THAI = """
สมชาย สมศักดิ์ สมหญิง สุชาติ ประเสริฐ วิชัย มานะ สุดา นภา วันเพ็ญ กนกวรรณ ศิริพร พรทิพย์ อรุณ ชัยวัฒน์ ธนพล ณัฐพล ใจดี แก้ว
ทองดี ศรีสุข บุญมา สุขใจ รักไทย ฝ่ายขาย
"""
KNOWN: Final = frozenset(
    part
    for names in (_WESTERN, _CENTRAL, _OTHER_LATIN, _CYRILLIC, _GREEK, _HEBREW, _ARABIC, _THAI)
    for name in names.split()
    for part in name.split("-")
    if not part.isascii() and len(part) > 2
)

# How East Asian names begin: Japanese, then Chinese in its simple and full forms, then Korean.
_JAPANESE = """
佐藤 鈴木 高橋 田中 伊藤 渡辺 渡邊 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 斎藤 斉藤 清水 山崎 阿部 池田 橋本 石川 山下 中島 石井
小川 前田 岡田 長谷川 藤田 後藤 近藤 村上 遠藤 青木 坂本 福田 太田 西村 藤井 岡本 金子 藤原 三浦 中野 中川 原田 松田 竹内 小野 田村 中山 和田 石田
上田 森田 柴田 酒井 工藤 横山 宮崎 宮本 内田 高木 安藤 谷口 大野 丸山 今井 河野 藤本 村田 武田 上野 杉山 増田 平野 大塚 千葉 久保 松井 小島 岩崎 桜井
さくら ひろし たろう はなこ サトウ スズキ タナカ タカハシ ワタナベ イトウ ヤマモト ナカムラ コバヤシ ｻﾄｳ ｽｽﾞｷ ﾀﾅｶ ﾀｶﾊｼ ﾜﾀﾅﾍﾞ ｲﾄｳ ﾔﾏﾓﾄ ﾅｶﾑﾗ ｺﾊﾞﾔｼ
花子 太郎 健太 大輔 翔太 陽子 直樹 営業 総務 人事 開発 経理 技術 部長
"""
_CHINESE = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何罗高林郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江"
_CHINESE_FULL = "張劉陳楊黃趙吳孫馬羅鄭謝許鄧馮韓蕭董葉蔣蘇魏呂盧傅鍾譚廖陸賈韋鄒江賴簡游莊詹"
_KOREAN = "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진지엄채원천방공현함변염여추도소석선설마길연위표명기반라왕금옥육인맹제모장탁국여진어은편"
FAMILY_NAMES: Final = frozenset(_JAPANESE.split())
FAMILY_SIGNS: Final = frozenset(_CHINESE + _CHINESE_FULL)
FAMILY_SYLLABLES: Final = frozenset(_KOREAN)
